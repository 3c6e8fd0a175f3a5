//! Tokens in cookies.
//!
//! Parsed by hand, in 15 lines. The crate `cookie` and its dependency `time` would add seven
//! crates, accept only UTF-8, and so lose a token beside a cookie in another encoding.

use http::HeaderMap;
use http::header::COOKIE;

use super::token_lookup::{TokenLookup, at_most_one, token_text};

/// Finds the token in the cookie `name`, without percent-decoding.
pub(super) fn find<'a>(headers: &'a HeaderMap, name: &str) -> TokenLookup<'a> {
    // HTTP/2 may split the header into one line per cookie (RFC 9113 section 8.2.3).
    let lines = headers.get_all(COOKIE).iter();
    let cookies = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
    let values = cookies.filter_map(|cookie| value_of(cookie, name));
    let value = at_most_one(values, |value| value.is_empty())?;
    value.map(|text| Ok(token_text(text)?.into())).transpose()
}

fn value_of<'a>(cookie: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let equals = cookie.iter().position(|&byte| byte == b'=')?;
    let (found, value) = cookie.split_at(equals);
    (found.trim_ascii() == name.as_bytes()).then(|| unquoted(value[1..].trim_ascii()))
}

/// Removes the quotes that RFC 6265 allows around a value.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inner.unwrap_or(value)
}
