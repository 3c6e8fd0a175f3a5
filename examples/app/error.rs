//! Errors of the app, answered as `{"error": "…"}`.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jwt_redis_session::SessionError;
use serde_json::json;

#[derive(Clone)]
pub(crate) enum AppError {
    /// An error of the library, answered with its status and headers.
    Session(SessionError),
    /// An error of the request, answered with this status and message.
    Request(StatusCode, String),
}

impl AppError {
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self::Request(status, message.into())
    }

    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }
}

impl From<SessionError> for AppError {
    fn from(error: SessionError) -> Self {
        match error {
            // The library treats these as bugs of the application. In this app, the client chooses
            // the fields and the owner.
            SessionError::ReservedField(_) | SessionError::InvalidOwner => {
                Self::bad_request(error.to_string())
            }
            // For example a session made by a Node service.
            SessionError::NoOwner => Self::new(StatusCode::CONFLICT, "the session has no owner"),
            error => Self::Session(error),
        }
    }
}

impl IntoResponse for AppError {
    fn into_response(self) -> Response {
        match self {
            Self::Session(error) => error.into_response(),
            Self::Request(status, error) => {
                (status, Json(json!({ "error": error }))).into_response()
            }
        }
    }
}
