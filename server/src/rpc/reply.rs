//! What a call gives back.

use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use serde::Serialize;

use crate::error::ApiError;

const BEFORE: &[u8] = br#"{"result":"#;

/// What a call gives back: 200 `{"result": …}`.
#[derive(Debug)]
pub(crate) struct Reply(Vec<u8>);

impl Reply {
    /// Writes the result.
    ///
    /// # Errors
    ///
    /// 500 if it cannot be written as JSON.
    pub(crate) fn new(result: &impl Serialize) -> Result<Self, ApiError> {
        let mut text = BEFORE.to_vec();
        serde_json::to_writer(&mut text, result)
            .map_err(|_| ApiError::internal(&"a result is not JSON"))?;
        text.push(b'}');
        Ok(Self(text))
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static("application/json")),
            (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        ];
        (headers, self.0).into_response()
    }
}
