//! The data in the body of a request.

use axum::body::Body;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue};
use serde_json::value::{RawValue, to_raw_value};

use crate::buckets::state::BucketsState;
use crate::error::ApiError;
use crate::http::read_body;

/// Reads the data in the body of a request. Call it only after the caller has been authorized.
/// Errors: 400, 408, 413.
pub(super) async fn read(
    state: &BucketsState,
    limit: usize,
    headers: &HeaderMap,
    body: Body,
) -> Result<Box<RawValue>, ApiError> {
    let body = read_body(body, limit, state.app.body_timeout()).await?;
    parse(headers.get(CONTENT_TYPE), &body)
}

/// Converts a body to JSON. An empty one is the empty string; `application/json` stays unchanged.
/// Errors: 400 if it does not have the format of its type.
fn parse(content_type: Option<&HeaderValue>, body: &[u8]) -> Result<Box<RawValue>, ApiError> {
    let content_type = content_type.map_or(&b""[..], HeaderValue::as_bytes);
    let essence = content_type.split(|byte| *byte == b';').next();
    let essence = essence.unwrap_or_default().trim_ascii();
    if essence.eq_ignore_ascii_case(b"application/json") && !body.is_empty() {
        return serde_json::from_slice(body)
            .map_err(|_| ApiError::bad_request("the body is not JSON"));
    }
    let text =
        std::str::from_utf8(body).map_err(|_| ApiError::bad_request("the body is not UTF-8"))?;
    to_raw_value(text).map_err(|error| ApiError::internal(&error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_application_json_stays_unchanged() {
        const JSON: Option<&str> = Some("Application/JSON ; charset=utf-8");
        const UNUSUAL: &str = r#"{"b":1e400,"a":[ 0.10 , "\ud800"],"b":2}"#;
        for (content_type, body, expected) in [
            (JSON, UNUSUAL.as_bytes(), Some(UNUSUAL)),
            (JSON, b" null\n", Some("null")),
            (JSON, b"", Some("\"\"")),
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
            let parsed = parse(value.as_ref(), body).ok();
            let json = parsed.as_ref().map(|json| json.get());
            assert_eq!(json, expected, "{content_type:?} {body:?}");
        }
    }
}
