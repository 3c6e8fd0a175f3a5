//! Tokens in headers.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};

use super::token_lookup::{TokenLookup, at_most_one, token_text};
use crate::token_rejection::TokenRejection;

const SCHEME: &[u8] = b"bearer";

/// Finds the token that is the whole value of the header `name`.
pub(super) fn plain<'a>(headers: &'a HeaderMap, name: &HeaderName) -> TokenLookup<'a> {
    let values = headers.get_all(name).iter().map(trimmed);
    let value = at_most_one(values, |value| value.is_empty())?;
    value.map(|text| Ok(token_text(text)?.into())).transpose()
}

/// Finds the token after `Authorization: Bearer`.
///
/// Only one `Authorization` line is legal, so beside a bearer token a second line is ambiguous,
/// whatever its scheme. Without a bearer token the header is ignored.
pub(super) fn bearer(headers: &HeaderMap) -> TokenLookup<'_> {
    let lines = headers.get_all(AUTHORIZATION);
    let Some(token) = lines.iter().map(trimmed).find_map(after_scheme) else {
        return Ok(None);
    };
    if lines.iter().nth(1).is_some() {
        return Err(TokenRejection::Ambiguous);
    }
    if token.is_empty() {
        return Err(TokenRejection::Malformed);
    }
    Ok(Some(token_text(token)?.into()))
}

/// Returns what follows the scheme, if the scheme is `Bearer`.
fn after_scheme(line: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = line.split_at_checked(SCHEME.len())?;
    let is_bearer = scheme.eq_ignore_ascii_case(SCHEME);
    // A longer word is another scheme. RFC 9110 allows only spaces here, so a tab remains in
    // front of the token and makes it malformed.
    let is_whole = matches!(rest.first(), None | Some(b' ' | b'\t'));
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    (is_bearer && is_whole).then(|| &rest[spaces..])
}

/// Removes the white space around the value, which is not part of it (RFC 9110 section 5.5).
fn trimmed(value: &HeaderValue) -> &[u8] {
    value.as_bytes().trim_ascii()
}
