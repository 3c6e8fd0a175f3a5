//! Tokens in the header `Authorization`.

use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};

use super::token_lookup::{TokenLookup, token_text};
use crate::token_rejection::TokenRejection;

/// Finds the token after `scheme`, whose case does not matter.
///
/// Equal tokens count as one, since a proxy may repeat the header or join two lines to a list.
/// Different ones are ambiguous. Only one set of credentials is legal, so beside a token a line
/// with another scheme is ambiguous, too. Without a token the header is ignored.
pub(super) fn find<'a>(headers: &'a HeaderMap, scheme: &str) -> TokenLookup<'a> {
    let (mut found, mut has_others) = (None, false);
    for line in headers
        .get_all(AUTHORIZATION)
        .iter()
        .map(HeaderValue::as_bytes)
    {
        let Some(token) = after_scheme(line, scheme) else {
            has_others = true;
            continue;
        };
        // Without an early end, so that the compiler can look at many bytes at once.
        let is_list = line.iter().fold(false, |any, byte| any | (*byte == b','));
        // No token has a comma.
        if !is_list {
            add(&mut found, token)?;
            continue;
        }
        // A list may have empty elements (RFC 9110 section 5.6.1).
        let elements = line.split(|&byte| byte == b',');
        for element in elements.filter(|element| !element.trim_ascii().is_empty()) {
            let token = after_scheme(element, scheme).unwrap_or_default();
            add(&mut found, token)?;
        }
    }
    if found.is_some() && has_others {
        return Err(TokenRejection::Ambiguous);
    }
    Ok(found.map(Into::into))
}

/// Adds a token, which must be equal to the one that was found before.
fn add<'a>(found: &mut Option<&'a str>, token: &'a [u8]) -> Result<(), TokenRejection> {
    if token.is_empty() {
        return Err(TokenRejection::Malformed);
    }
    let token = token_text(token)?;
    if found.is_some_and(|other| other != token) {
        return Err(TokenRejection::Ambiguous);
    }
    *found = Some(token);
    Ok(())
}

/// Returns what follows the scheme, if `credentials` are of this scheme.
fn after_scheme<'a>(credentials: &'a [u8], scheme: &str) -> Option<&'a [u8]> {
    let credentials = credentials.trim_ascii();
    if credentials.is_empty() {
        // Of no scheme, not even of an empty one.
        return None;
    }
    let (found, rest) = credentials.split_at_checked(scheme.len())?;
    let is_scheme = found.eq_ignore_ascii_case(scheme.as_bytes());
    // A longer word is another scheme. RFC 9110 allows only spaces here, so a tab remains in
    // front of the token and makes it malformed.
    let is_whole = matches!(rest.first(), None | Some(b' ' | b'\t' | b','));
    let spaces = rest.iter().take_while(|&&byte| byte == b' ').count();
    (is_scheme && is_whole).then(|| &rest[spaces..])
}
