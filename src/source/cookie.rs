//! Tokens in cookies.

use http::HeaderMap;
use http::header::COOKIE;

use super::value::{self, sole};
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// The token in the cookie `name`, taken as it stands, without percent-decoding.
pub(super) fn find(headers: &HeaderMap, name: &str) -> Result<Option<Token>, TokenRejection> {
    // HTTP/2 may split the header into one line per cookie (RFC 9113 section 8.2.3).
    let lines = headers.get_all(COOKIE).iter();
    let cookies = lines.flat_map(|line| line.as_bytes().split(|&byte| byte == b';'));
    match sole(cookies.filter_map(|cookie| value_of(cookie, name)))? {
        Some(text) => value::token(text),
        None => Ok(None),
    }
}

fn value_of<'a>(cookie: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let equals = cookie.iter().position(|&byte| byte == b'=')?;
    let (found, value) = cookie.split_at(equals);
    (found.trim_ascii() == name.as_bytes()).then(|| unquoted(value[1..].trim_ascii()))
}

/// The value without the quotes that RFC 6265 allows around it.
fn unquoted(value: &[u8]) -> &[u8] {
    let inner = value
        .strip_prefix(b"\"")
        .and_then(|v| v.strip_suffix(b"\""));
    inner.unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    type Told = Result<Option<&'static str>, TokenRejection>;

    #[test]
    fn r15_cookie_table() {
        let table: &[(&[&[u8]], Told)] = &[
            (&[], Ok(None)),
            (&[b""], Ok(None)),
            (&[b"sid=T"], Ok(Some("T"))),
            (&[b"a=1; sid=T; b=2"], Ok(Some("T"))),
            (&[b"a=1;sid=T;b=2"], Ok(Some("T"))),
            (&[b"a=1", b"sid=T"], Ok(Some("T"))),
            (&[b"sid=\"T\""], Ok(Some("T"))),
            (&[b"sid=T="], Ok(Some("T="))),
            (&[b"sid="], Ok(None)),
            (&[b"sid"], Ok(None)),
            (&[b"SID=T"], Ok(None)),
            (&[b"xsid=T; sidx=T"], Ok(None)),
            (&[b"sid=a; sid=b"], Err(TokenRejection::Ambiguous)),
            (&[b"sid=a", b"sid=a"], Err(TokenRejection::Ambiguous)),
            (&[b"sid=a b"], Err(TokenRejection::Malformed)),
            (&[b"sid=\xff"], Err(TokenRejection::Malformed)),
            (&[b"other=\xff; sid=T"], Ok(Some("T"))),
        ];
        for (lines, expected) in table {
            let mut headers = HeaderMap::new();
            for line in *lines {
                headers.append(COOKIE, HeaderValue::from_bytes(line).unwrap());
            }
            let found = find(&headers, "sid").map(|token| token.map(Token::into_string));
            assert_eq!(found, expected.map(|t| t.map(String::from)), "{lines:?}");
        }
    }
}
