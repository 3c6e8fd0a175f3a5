//! What an operator sees when nothing was done.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use jwt_redis_session::SessionError;

use crate::admin::page;
use crate::error::ApiError;

/// Why nothing was done.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The page is for operators: the browser is sent to where one logs in.
    LogInFirst,
    /// As a page.
    Shown(Box<ApiError>),
}

pub(super) async fn nothing_here() -> Refusal {
    ApiError::not_found("there is nothing here").into()
}

/// axum adds `Allow`.
pub(super) async fn wrong_method() -> Refusal {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into()
}

/// `body` in place of the JSON of `error`; status and headers stay.
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
