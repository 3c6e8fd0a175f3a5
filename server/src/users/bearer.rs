//! The bearer token of a request.
//!
//! `headers::Authorization<Bearer>` accepts the first of several headers, and does not distinguish
//! a missing header from a malformed one.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::error::ApiError;

/// Returns the only bearer token in `Authorization` (RFC 6750, section 2.1).
/// Errors: 401.
pub(super) fn token(headers: &HeaderMap) -> Result<&str, ApiError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = values.next() else {
        return Err(missing_token());
    };
    let (Ok(value), None) = (value.to_str(), values.next()) else {
        return Err(invalid_token());
    };
    let (scheme, token) = value.split_once(' ').unwrap_or((value, ""));
    match token.trim_start_matches(' ') {
        _ if !scheme.eq_ignore_ascii_case("bearer") => Err(missing_token()),
        "" => Err(invalid_token()),
        token => Ok(token),
    }
}

/// Returns the error response to a request whose token gives no session.
pub(super) fn invalid_token() -> ApiError {
    no_session(r#"Bearer realm="sessiond", error="invalid_token""#)
}

/// RFC 6750, section 3.1: without a token, the challenge has no error code.
fn missing_token() -> ApiError {
    no_session(r#"Bearer realm="sessiond""#)
}

fn no_session(challenge: &'static str) -> ApiError {
    ApiError::unauthorized("Session does not exist.", challenge)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse as _;
    use http::HeaderValue;
    use http::header::WWW_AUTHENTICATE;

    use super::*;

    #[test]
    fn one_header_of_the_scheme_carries_a_token() {
        const MISSING: &str = r#"Bearer realm="sessiond""#;
        const INVALID: &str = r#"Bearer realm="sessiond", error="invalid_token""#;
        for (values, expected) in [
            (&[][..], Err(MISSING)),
            (&[&b"Basic abc"[..]], Err(MISSING)),
            (&[b"abc"], Err(MISSING)),
            (&[b"Bearerabc"], Err(MISSING)),
            (&[b"Bearer"], Err(INVALID)),
            (&[b"Bearer  "], Err(INVALID)),
            (&[b"Bearer \xff"], Err(INVALID)),
            (&[b"Bearer abc", b"Bearer abc"], Err(INVALID)),
            (&[b"Bearer abc", b"Basic abc"], Err(INVALID)),
            (&[b"Bearer abc"], Ok("abc")),
            (&[b"bEARER   abc"], Ok("abc")),
            (&[b"Bearer abc def"], Ok("abc def")),
        ] {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(AUTHORIZATION, HeaderValue::from_bytes(value).unwrap());
            }
            let found = token(&headers).map_err(|error| {
                let response = error.into_response();
                assert_eq!(response.status(), 401);
                response.headers()[WWW_AUTHENTICATE].clone()
            });
            let expected = expected.map_err(HeaderValue::from_static);
            assert_eq!(found, expected, "{values:?}");
        }
    }
}
