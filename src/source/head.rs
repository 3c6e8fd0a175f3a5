//! The search for a token in the head of a request.

use http::header::{AUTHORIZATION, COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::form;
use super::token_lookup::{
    FoundToken, HeadLookup, TokenLookup, at_most_one, first_found, token_text,
};
use super::token_source::TokenSource;
use super::token_sources::TokenSources;
use super::websocket;
use crate::token_rejection::TokenRejection;

const SCHEME: &[u8] = b"bearer";

impl<P> TokenSources<P> {
    /// Looks for a token in headers, cookies and query.
    pub(crate) fn find<'a>(&self, head: &'a Parts) -> HeadLookup<'a> {
        let headers = &head.headers;
        let lookups = self.list.iter().map(|source| {
            let found = match source {
                TokenSource::Header(name) => only(headers.get_all(name).iter().map(trimmed)),
                TokenSource::Bearer => bearer(headers),
                TokenSource::Cookie(name) => cookie(headers, name),
                TokenSource::Query(name) | TokenSource::Ticket(name) => {
                    form::find(head.uri.query().unwrap_or_default().as_bytes(), name)
                }
                TokenSource::WebSocketProtocol => websocket::find(head),
            };
            let kind = match source {
                TokenSource::Ticket(_) => FoundToken::Ticket,
                _ => FoundToken::Token,
            };
            (source.as_str(), found.map(|text| text.map(kind)))
        });
        first_found(lookups, self.strict)
    }
}

/// Returns the only value as a token.
fn only<'a>(values: impl Iterator<Item = &'a [u8]>) -> TokenLookup<'a> {
    let value = at_most_one(values, |value| value.is_empty())?;
    value.map(|text| Ok(token_text(text)?.into())).transpose()
}

/// Finds the token after `Authorization: Bearer`.
///
/// Only one `Authorization` line is legal, so beside a bearer token a second line is ambiguous,
/// whatever its scheme. Without a bearer token the header is ignored.
fn bearer(headers: &HeaderMap) -> TokenLookup<'_> {
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

/// Finds the token in the cookie `name`, without percent-decoding.
///
/// Parsed by hand. The crate `cookie` accepts only UTF-8, and so loses a token beside a cookie in
/// another encoding.
fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> TokenLookup<'a> {
    // HTTP/2 may split the header into one line per cookie (RFC 9113 section 8.2.3).
    let lines = headers.get_all(COOKIE).iter();
    let cookies = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
    only(cookies.filter_map(|cookie| {
        let equals = cookie.iter().position(|&byte| byte == b'=')?;
        let (found, value) = cookie.split_at(equals);
        (found.trim_ascii() == name.as_bytes()).then(|| unquoted(value[1..].trim_ascii()))
    }))
}

/// Removes the quotes that RFC 6265 allows around a value.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

/// Removes the white space around the value, which is not part of it (RFC 9110 section 5.5).
fn trimmed(value: &HeaderValue) -> &[u8] {
    value.as_bytes().trim_ascii()
}
