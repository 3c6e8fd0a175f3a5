//! Routes of the admin pages.

use std::sync::Arc;

use axum::Router;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{any, get, post};
use http::StatusCode;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};

use crate::admin::page::{self, PageError};
use crate::admin::state::AdminState;
use crate::admin::{keys, login, overview, owners, sessions};
use crate::app_state::AppState;
use crate::error::ApiError;
use crate::start_error::StartError;

/// Loads nothing but the style sheet and the script, submits forms to this origin only, and forbids frames.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) fn router(app: &AppState) -> Result<Router, StartError> {
    let state = Arc::new(AdminState::new(app)?);
    Ok(Router::new()
        .route("/admin", get(overview::show))
        .route("/admin/", get(async || Redirect::to("/admin")))
        .route("/admin/style.css", get(page::style))
        .route("/admin/script.js", get(page::script))
        .route("/admin/buckets", get(keys::list))
        .route("/admin/login", get(login::form).post(login::log_in))
        .route("/admin/logout", post(login::log_out))
        .route("/admin/keys", post(keys::create))
        .route("/admin/keys/delete", post(keys::delete))
        .route("/admin/sessions", get(sessions::form).post(sessions::find))
        .route("/admin/sessions/{api}/{id}", get(sessions::show))
        .route("/admin/sessions/end", post(sessions::end))
        .route("/admin/owners", get(owners::list))
        .route("/admin/owners/end", post(owners::end))
        .route("/admin/owners/end-all", post(owners::end_all))
        .route("/admin/{*rest}", any(not_found))
        .method_not_allowed_fallback(method_not_allowed)
        .with_state(state)
        .layer(map_response(add_headers)))
}

async fn not_found() -> PageError {
    ApiError::not_found("there is no such page").into()
}

/// Answers a method that the route does not have; axum adds `Allow`.
async fn method_not_allowed() -> PageError {
    ApiError::new(StatusCode::METHOD_NOT_ALLOWED, "method not allowed").into()
}

async fn add_headers(response: Response) -> impl IntoResponse {
    let headers = [
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (X_FRAME_OPTIONS, "DENY"),
        // With `no-referrer` browsers send `Origin: null` with the forms of these pages.
        (REFERRER_POLICY, "same-origin"),
        (CACHE_CONTROL, "no-store"),
    ];
    (headers, response)
}
