//! The routes of the admin page.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{any, get, post};

use crate::admin::state::AdminState;
use crate::admin::{headers, keys, login, owners, page, refusal, sessions};
use crate::app_state::AppState;
use crate::start_error::StartError;

pub(crate) fn router(app: &AppState) -> Result<Router, StartError> {
    let state = Arc::new(AdminState::new(app)?);
    Ok(Router::new()
        .route("/admin", get(keys::overview))
        .route("/admin/", get(page::to_overview))
        .route("/admin/style.css", get(page::style))
        .route("/admin/login", get(login::form).post(login::log_in))
        .route("/admin/logout", post(login::log_out))
        .route("/admin/keys", post(keys::create))
        .route("/admin/keys/delete", post(keys::delete))
        .route("/admin/sessions", get(sessions::form).post(sessions::look))
        .route("/admin/sessions/end", post(sessions::end))
        .route("/admin/owners", get(owners::list).post(owners::choose))
        .route("/admin/owners/end", post(owners::end))
        .route("/admin/owners/end-all", post(owners::end_all))
        .route("/admin/{*rest}", any(refusal::not_found))
        .method_not_allowed_fallback(refusal::method_not_allowed)
        .with_state(state)
        .layer(from_fn(headers::add)))
}
