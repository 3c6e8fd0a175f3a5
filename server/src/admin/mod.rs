//! The page for operators.
//!
//! Server-rendered, without a script. A master key opens it; from then on a session of the core
//! stands for the operator, behind a cookie. Whoever looks changes nothing: no session lives
//! longer for it. No id, name or token ever stands in a URL, which would be remembered by the
//! browser.

mod cookie;
mod desk;
mod encoded;
mod form;
mod headers;
mod keys;
mod login;
mod operator;
mod owner_doors;
mod owner_page;
mod owners;
mod page;
mod refusal;
mod sessions;
mod submitted;
mod text;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use axum::routing::{any, get, post};

use crate::shared::Shared;
use crate::start_error::StartError;

pub(crate) fn router(shared: &Shared) -> Result<Router, StartError> {
    let desk = Arc::new(desk::Desk::new(shared)?);
    Ok(Router::new()
        .route("/admin", get(keys::overview))
        .route("/admin/", get(page::to_overview))
        .route("/admin/style.css", get(page::style))
        .route("/admin/login", get(login::form).post(login::enter))
        .route("/admin/logout", post(login::leave))
        .route("/admin/keys", post(keys::create))
        .route("/admin/keys/delete", post(keys::delete))
        .route("/admin/sessions", get(sessions::form).post(sessions::look))
        .route("/admin/sessions/end", post(sessions::end))
        .route("/admin/owners", get(owners::list).post(owners::choose))
        .route("/admin/owners/end", post(owners::end))
        .route("/admin/owners/end-all", post(owners::end_all))
        .route("/admin/{*rest}", any(refusal::nothing_here))
        .method_not_allowed_fallback(refusal::wrong_method)
        .with_state(desk)
        .layer(from_fn(headers::add)))
}
