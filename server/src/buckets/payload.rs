//! The data in the body of a request.

use axum::body::Body;
use http::HeaderMap;
use serde_json::value::{RawValue, to_raw_value};

use crate::buckets::state::BucketsState;
use crate::error::ApiError;
use crate::http::{is_json, read_body};

/// Reads the data in the body of a request. Call it only after the caller has been authorized.
/// Errors: 400, 408, 413, 415.
pub(super) async fn read(
    state: &BucketsState,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<Box<RawValue>, ApiError> {
    let body = read_body(headers, body, limit, state.app.body_timeout()).await?;
    parse(is_json(headers), &body)
}

/// Converts a body to JSON: JSON stays unchanged, and anything else becomes a string.
/// Errors: 400 if it is neither JSON, as declared, nor UTF-8.
fn parse(is_json: bool, body: &[u8]) -> Result<Box<RawValue>, ApiError> {
    if is_json {
        return serde_json::from_slice(body).map_err(|_| {
            ApiError::bad_request("the body is not JSON; send JSON, or text as text/plain")
        });
    }
    let text = std::str::from_utf8(body)
        .map_err(|_| ApiError::bad_request("the body is not UTF-8; send text in UTF-8, or JSON"))?;
    to_raw_value(text).map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use http::header::CONTENT_TYPE;

    use super::*;

    #[test]
    fn only_application_json_stays_unchanged() {
        const JSON: Option<&str> = Some("Application/JSON ; charset=utf-8");
        const UNUSUAL: &str = r#"{"b":1e400,"a":[ 0.10 , "\ud800"],"b":2}"#;
        for (content_type, body, expected) in [
            (JSON, UNUSUAL.as_bytes(), Some(UNUSUAL)),
            (JSON, b" null\n", Some("null")),
            (JSON, b"", None),
            (JSON, b"{", None),
            (JSON, b"{} {}", None),
            (JSON, b" ", None),
            (JSON, b"\"\xff\"", None),
            (JSON, b"\xef\xbb\xbf1", None),
            (Some("application/json"), b"1", Some("1")),
            (None, b"1", Some("\"1\"")),
            (None, b"", Some("\"\"")),
            (None, b"{\"a\"\x01", Some(r#""{\"a\"\u0001""#)),
            (None, b"a\xff", None),
            (Some(""), b"1", Some("\"1\"")),
            (Some("text/json"), b"1", Some("\"1\"")),
            (Some("application/jsonp"), b"1", Some("\"1\"")),
            (Some("application/problem+json"), b"1", Some("\"1\"")),
        ] {
            let value = content_type.map(HeaderValue::from_static);
            let headers = value
                .map(|value| (CONTENT_TYPE, value))
                .into_iter()
                .collect();
            let parsed = parse(is_json(&headers), body).ok();
            let json = parsed.as_ref().map(|json| json.get());
            assert_eq!(json, expected, "{content_type:?} {body:?}");
        }
    }
}
