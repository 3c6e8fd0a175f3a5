//! Error responses.

use std::borrow::Cow;

use axum::response::{IntoResponse, Response};
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use jwt_redis_session::{SessionError, TokenRejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::private_json::private_json;
use crate::request_context::RequestContext;
use crate::store_failure;

/// Error response: a status and `{"error": "…"}`.
///
/// No message contains a secret, a token, a key or session data. The cause of a 500, or of a failed
/// store, is logged once, when this is created. It is not sent to the client.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    message: Cow<'static, str>,
    header: Option<(HeaderName, HeaderValue)>,
}

/// The body of an error response.
#[derive(Serialize, ToSchema)]
pub(crate) struct ErrorBody<'a> {
    /// Human-readable description of the error.
    #[schema(example = "there is no such session; create one")]
    error: &'a str,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self {
            status,
            message: message.into(),
            header: None,
        }
    }

    pub(crate) fn bad_request(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub(crate) fn not_found(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::NOT_FOUND, message)
    }

    /// Creates a 401 with the challenge that RFC 9110 section 11.6.1 requires.
    pub(crate) fn unauthorized(message: &'static str, challenge: &'static str) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, message)
            .with_header(WWW_AUTHENTICATE, HeaderValue::from_static(challenge))
    }

    /// Creates a 503, for a store that is not available or a request that took too long.
    pub(crate) fn unavailable(message: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, message)
            .with_header(RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Creates a 500 and logs `cause`.
    pub(crate) fn internal(cause: &dyn std::fmt::Display) -> Self {
        let context = RequestContext::current();
        let (request_id, trace_id) = (context.request_id(), context.trace_id());
        tracing::error!(request_id, trace_id, %cause, "the request failed with an internal error");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error")
    }

    pub(crate) const fn status(&self) -> StatusCode {
        self.status
    }

    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.header = Some((name, value));
        self
    }

    /// Returns the response with a JSON body other than [`ErrorBody`].
    pub(crate) fn with_body(self, body: &impl Serialize) -> Response {
        let response = private_json(self.status, body);
        self.with_response(response)
    }

    /// Returns `response` with the status and the header of this error.
    pub(crate) fn with_response(self, mut response: Response) -> Response {
        *response.status_mut() = self.status;
        response.headers_mut().extend(self.header);
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let message = self.message.clone();
        self.with_body(&ErrorBody { error: &message })
    }
}

/// Default response to an error of the library. Some routes answer certain errors differently.
impl From<SessionError> for ApiError {
    fn from(error: SessionError) -> Self {
        match &error {
            SessionError::Gone
            | SessionError::Absent
            | SessionError::Rejected(TokenRejection::Unknown | TokenRejection::Expired) => {
                Self::not_found("there is no such session; create one")
            }
            SessionError::Conflict => Self::new(
                StatusCode::CONFLICT,
                "too many concurrent writes; the session was not changed, retry later",
            ),
            SessionError::Revoked => Self::new(
                StatusCode::CONFLICT,
                "all sessions of the user are being ended; nothing was created, retry later",
            ),
            SessionError::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("{error}; store less in it"),
            ),
            SessionError::Unavailable(cause) => {
                store_failure::log(cause);
                Self::unavailable("the session store is not available")
            }
            SessionError::InvalidOwner => Self::bad_request("a user id must have 1 to 512 bytes"),
            _ => Self::internal(&error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jwt_redis_session::error::SizeUnit;

    #[test]
    fn each_error_of_the_library_has_its_status() {
        for (error, status) in [
            (SessionError::Gone, 404),
            (SessionError::Absent, 404),
            (SessionError::Rejected(TokenRejection::Unknown), 404),
            (SessionError::Rejected(TokenRejection::Expired), 404),
            (SessionError::Conflict, 409),
            (SessionError::Revoked, 409),
            (SessionError::too_large(2, 1, SizeUnit::Bytes), 413),
            (SessionError::InvalidOwner, 400),
            (SessionError::Corrupt, 500),
            (SessionError::Rejected(TokenRejection::Corrupt), 500),
        ] {
            assert_eq!(ApiError::from(error).status(), status);
        }
    }
}
