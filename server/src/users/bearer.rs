//! The bearer token of a request.
//!
//! `headers::Authorization<Bearer>` takes the first of several headers, and does not distinguish
//! a missing header (RFC 6750, section 3.1: no error code) from a malformed one.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::error::ApiError;

/// The header `Authorization` (RFC 6750, section 2.1).
#[derive(PartialEq, Eq)]
pub(super) enum Bearer<'a> {
    /// No header, or one of another scheme.
    Absent,
    /// More than one header, or one that cannot be read.
    Malformed,
    /// A token, valid or not.
    Token(&'a str),
}

impl<'a> Bearer<'a> {
    pub(super) fn of(headers: &'a HeaderMap) -> Self {
        let mut values = headers.get_all(AUTHORIZATION).iter();
        let Some(value) = values.next() else {
            return Self::Absent;
        };
        match value.to_str() {
            Ok(value) if values.next().is_none() => Self::parse(value),
            _ => Self::Malformed,
        }
    }

    fn parse(value: &'a str) -> Self {
        let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
        match token.trim_start_matches(' ') {
            _ if !scheme.eq_ignore_ascii_case("bearer") => Self::Absent,
            "" => Self::Malformed,
            token => Self::Token(token),
        }
    }

    /// Returns the response to a caller without a session.
    pub(super) fn refusal(&self) -> ApiError {
        let challenge = match self {
            Self::Absent => r#"Bearer realm="sessiond""#,
            Self::Malformed | Self::Token(_) => r#"Bearer realm="sessiond", error="invalid_token""#,
        };
        ApiError::unauthorized("Session does not exist.", challenge)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_header_of_the_scheme_gives_a_token() {
        let of = |values: &[&'static [u8]]| {
            let mut headers = HeaderMap::new();
            for value in values {
                let value = http::HeaderValue::from_bytes(value).unwrap();
                headers.append(AUTHORIZATION, value);
            }
            match Bearer::of(&headers) {
                Bearer::Absent => "absent".to_owned(),
                Bearer::Malformed => "malformed".to_owned(),
                Bearer::Token(token) => format!("<{token}>"),
            }
        };
        assert_eq!(of(&[]), "absent");
        assert_eq!(of(&[b"Basic abc"]), "absent");
        assert_eq!(of(&[b"abc"]), "absent");
        assert_eq!(of(&[b"Bearerabc"]), "absent");
        assert_eq!(of(&[b"Bearer"]), "malformed");
        assert_eq!(of(&[b"Bearer  "]), "malformed");
        assert_eq!(of(&[b"Bearer \xff"]), "malformed");
        assert_eq!(of(&[b"Bearer abc", b"Bearer abc"]), "malformed");
        assert_eq!(of(&[b"Bearer abc", b"Basic abc"]), "malformed");
        assert_eq!(of(&[b"Bearer abc"]), "<abc>");
        assert_eq!(of(&[b"bEARER   abc"]), "<abc>");
        assert_eq!(of(&[b"Bearer abc def"]), "<abc def>");
    }
}
