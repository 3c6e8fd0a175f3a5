//! The data in the body of a request.

use axum::body::Body;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use serde_json::value::{RawValue, to_raw_value};

use crate::buckets::state::BucketsState;
use crate::error::ApiError;
use crate::http::read_body;

/// Format of a request body, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Json,
    Text,
}

impl Format {
    fn of(headers: &HeaderMap) -> Self {
        let value = headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
        let mut parts = value.unwrap_or_default().split(|byte| *byte == b';');
        let essence = parts.next().unwrap_or_default().trim_ascii();
        if essence.eq_ignore_ascii_case(b"application/json") {
            Self::Json
        } else {
            Self::Text
        }
    }

    /// Converts a body to JSON. An empty one is the empty string; JSON stays unchanged.
    /// Errors: 400 if it does not have this format.
    fn parse(self, body: &Bytes) -> Result<Box<RawValue>, ApiError> {
        if body.is_empty() || self == Self::Text {
            let text = std::str::from_utf8(body)
                .map_err(|_| ApiError::bad_request("the body is not UTF-8"))?;
            return to_raw_value(text).map_err(|error| ApiError::internal(&error));
        }
        serde_json::from_slice(body).map_err(|_| ApiError::bad_request("the body is not JSON"))
    }
}

/// Reads the data in the body of a request. Call it only after the caller has been authorized.
/// Errors: 400, 408, 413.
pub(super) async fn read(
    state: &BucketsState,
    headers: &HeaderMap,
    body: Body,
) -> Result<Box<RawValue>, ApiError> {
    let limit = state.app.settings.buckets.max_payload;
    let body = read_body(body, limit, state.app.body_timeout()).await?;
    Format::of(headers).parse(&body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_application_json_is_json() {
        assert_eq!(Format::of(&HeaderMap::new()), Format::Text);
        for (value, expected) in [
            ("application/json", Format::Json),
            ("Application/JSON ; charset=utf-8", Format::Json),
            ("", Format::Text),
            ("text/plain", Format::Text),
            ("text/json", Format::Text),
            ("application/jsonp", Format::Text),
            ("application/problem+json", Format::Text),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            assert_eq!(Format::of(&headers), expected, "{value}");
        }
    }

    #[test]
    fn bodies_are_converted_to_json() {
        const UNUSUAL: &str = r#"{"b":1e400,"a":[ 0.10 , "\ud800"],"b":2}"#;
        for (format, body, expected) in [
            (Format::Json, UNUSUAL.as_bytes(), Some(UNUSUAL)),
            (Format::Json, b" null\n", Some("null")),
            (Format::Json, b"", Some("\"\"")),
            (Format::Text, b"", Some("\"\"")),
            (Format::Text, b"{\"a\"\x01", Some(r#""{\"a\"\u0001""#)),
            (Format::Json, b"{", None),
            (Format::Json, b"{} {}", None),
            (Format::Json, b"\xff", None),
            (Format::Json, b" ", None),
            (Format::Json, b"\"\xff\"", None),
            (Format::Json, b"\xef\xbb\xbf1", None),
            (Format::Text, b"a\xff", None),
        ] {
            let parsed = format.parse(&Bytes::from_static(body)).ok();
            let json = parsed.as_ref().map(|json| json.get());
            assert_eq!(json, expected, "{body:?}");
        }
    }
}
