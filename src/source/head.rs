//! The search for a token in the head of a request.

use http::header::COOKIE;
use http::request::Parts;
use http::{HeaderMap, HeaderValue};

use super::authorization;
use super::form;
use super::token_lookup::{
    FoundToken, HeadLookup, TokenLookup, at_most_one, first_found, token_text,
};
use super::token_source::TokenSource;
use super::token_sources::TokenSources;
use super::websocket;

impl<P> TokenSources<P> {
    /// Looks for a token in headers, cookies and query.
    pub(crate) fn find<'a>(&self, head: &'a Parts) -> HeadLookup<'a> {
        let lookups = self.list.iter().map(|source| {
            let kind = match source {
                TokenSource::Ticket(_) => FoundToken::Ticket,
                _ => FoundToken::Token,
            };
            let found = find_in(source, head).map(|text| text.map(kind));
            (source.as_str(), found)
        });
        first_found(lookups, self.strict)
    }

    /// Returns the source in which [`find`](Self::find) finds a token, valid or not.
    #[cfg(feature = "cookie")]
    pub(crate) fn source_of_token(&self, head: &Parts) -> Option<&TokenSource> {
        let mut sources = self.list.iter();
        sources.find(|source| !matches!(find_in(source, head), Ok(None)))
    }
}

fn find_in<'a>(source: &TokenSource, head: &'a Parts) -> TokenLookup<'a> {
    let headers = &head.headers;
    match source {
        TokenSource::Header(name) => only(headers.get_all(name).iter().map(trimmed)),
        TokenSource::Bearer => authorization::find(headers, "bearer"),
        TokenSource::Authorization(scheme) => authorization::find(headers, scheme),
        TokenSource::Cookie(name) => cookie(headers, name),
        TokenSource::Query(name) | TokenSource::Ticket(name) => {
            form::find(head.uri.query().unwrap_or_default().as_bytes(), name)
        }
        TokenSource::WebSocketProtocol => websocket::find(head),
    }
}

/// Returns the only value as a token.
fn only<'a>(values: impl Iterator<Item = &'a [u8]>) -> TokenLookup<'a> {
    let value = at_most_one(values, |value| value.is_empty())?;
    value.map(|text| Ok(token_text(text)?.into())).transpose()
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
