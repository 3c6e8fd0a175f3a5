//! The data that a request brings.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::FromRequestParts;
use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use http::request::Parts;
use serde_json::value::{RawValue, to_raw_value};

use crate::buckets::state::BucketsState;
use crate::error::ApiError;
use crate::http::read_body;

/// Format of a request body, by its `Content-Type`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    Text,
}

impl Format {
    fn of(headers: &HeaderMap) -> Self {
        let value = headers
            .get(CONTENT_TYPE)
            .map_or(&b""[..], |value| value.as_bytes());
        let essence = value.split(|byte| *byte == b';').next().unwrap_or_default();
        let essence = essence.trim_ascii().to_ascii_lowercase();
        if essence == b"application/json" {
            Self::Json
        } else {
            Self::Text
        }
    }

    /// Makes JSON of a body: an empty one is the empty string, JSON stays as it is to the letter.
    ///
    /// # Errors
    ///
    /// 400 if it is not of this format.
    fn parse(self, body: &Bytes) -> Result<Box<RawValue>, ApiError> {
        if body.is_empty() || self == Self::Text {
            let text = std::str::from_utf8(body)
                .map_err(|_| ApiError::bad_request("the body is not UTF-8"))?;
            return to_raw_value(text).map_err(|error| ApiError::internal(&error));
        }
        serde_json::from_slice(body).map_err(|_| ApiError::bad_request("the body is not JSON"))
    }
}

/// Reads the data that a request brings; to be called when the caller is known, for strangers
/// are not listened to.
///
/// # Errors
///
/// 408, 413, 400.
pub(super) async fn read(
    state: &BucketsState,
    format: Format,
    body: Body,
) -> Result<Box<RawValue>, ApiError> {
    let most = state.app.settings.buckets.max_payload;
    let body = read_body(body, most, state.app.body_timeout()).await?;
    format.parse(&body)
}

impl<S: Sync> FromRequestParts<S> for Format {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_tells_json_from_text() {
        let format = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(CONTENT_TYPE, value.parse().unwrap());
            Format::of(&headers)
        };
        for json in ["application/json", "Application/JSON ; charset=utf-8"] {
            assert_eq!(format(json), Format::Json, "{json}");
        }
        for text in [
            "",
            "text/plain",
            "text/json",
            "application/jsonp",
            "application/problem+json",
        ] {
            assert_eq!(format(text), Format::Text, "{text}");
        }
        assert_eq!(Format::of(&HeaderMap::new()), Format::Text);
    }

    #[test]
    fn a_body_becomes_json() {
        let parse = |format: Format, body: &'static [u8]| {
            let parsed = format.parse(&Bytes::from_static(body));
            parsed
                .map(|json| json.get().to_owned())
                .map_err(|error| error.status().as_u16())
        };
        let kept = r#"{"b":1e400,"a":[ 0.10 , "\ud800"],"b":2}"#;
        assert_eq!(parse(Format::Json, kept.as_bytes()).unwrap(), kept);
        assert_eq!(parse(Format::Json, b" null\n").unwrap(), "null");
        assert_eq!(parse(Format::Json, b"").unwrap(), "\"\"");
        assert_eq!(parse(Format::Text, b"").unwrap(), "\"\"");
        assert_eq!(
            parse(Format::Text, b"{\"a\"\x01").unwrap(),
            r#""{\"a\"\u0001""#
        );
        for bad in [
            &b"{"[..],
            b"{} {}",
            b"\xff",
            b" ",
            b"\"\xff\"",
            b"\xef\xbb\xbf1",
        ] {
            assert_eq!(parse(Format::Json, bad), Err(400), "{bad:?}");
        }
        assert_eq!(parse(Format::Text, b"a\xff"), Err(400));
    }
}
