//! What a call gives back.

use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde::Serialize;

use crate::error::ApiError;
use crate::json_response::json_response;

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
        json_response(StatusCode::OK, self.0)
    }
}
