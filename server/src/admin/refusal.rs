//! The errors of the admin page.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use jwt_redis_session::SessionError;

use crate::admin::page;
use crate::error::ApiError;

/// Error of the admin page.
#[derive(Debug)]
pub(super) enum Refusal {
    /// Not logged in: redirects to the login page.
    LogInFirst,
    /// Rendered as a page.
    Shown(Box<ApiError>),
}

pub(super) async fn not_found() -> Refusal {
    ApiError::not_found("there is nothing here").into()
}

/// The answer to a wrong method; axum adds `Allow`.
pub(super) async fn method_not_allowed() -> Refusal {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into()
}

/// Replaces the JSON body of `error`; keeps its status and headers.
pub(super) fn with_page(error: ApiError, body: maud::Markup) -> Response {
    let (mut parts, _) = error.into_response().into_parts();
    parts.headers.remove(CONTENT_LENGTH);
    let html = HeaderValue::from_static(page::HTML);
    parts.headers.insert(CONTENT_TYPE, html);
    Response::from_parts(parts, Body::from(body.into_string()))
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::LogInFirst => page::redirect("/admin/login"),
            Self::Shown(error) => {
                let page = page::refusal(error.status(), error.message());
                with_page(*error, page)
            }
        }
    }
}

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self::Shown(Box::new(error))
    }
}

impl From<SessionError> for Refusal {
    fn from(error: SessionError) -> Self {
        ApiError::from(error).into()
    }
}
