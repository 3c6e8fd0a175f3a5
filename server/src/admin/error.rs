//! Errors of the admin pages.

use axum::response::{IntoResponse, Redirect, Response};
use jwt_redis_session::SessionError;

use crate::admin::page;
use crate::error::ApiError;

/// Error of an admin page.
#[derive(Debug)]
pub(super) enum PageError {
    /// Redirects to the login page.
    NotLoggedIn,
    /// Renders a page.
    Api(Box<ApiError>),
}

impl IntoResponse for PageError {
    fn into_response(self) -> Response {
        match self {
            Self::NotLoggedIn => Redirect::to("/admin/login").into_response(),
            Self::Api(error) => {
                let page = page::error(error.status(), error.message());
                error.with_response(page.into_response())
            }
        }
    }
}

impl From<ApiError> for PageError {
    fn from(error: ApiError) -> Self {
        Self::Api(Box::new(error))
    }
}

impl From<SessionError> for PageError {
    fn from(error: SessionError) -> Self {
        ApiError::from(error).into()
    }
}
