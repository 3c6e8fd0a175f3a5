//! axum without sessions: what the routes cost by themselves.

use axum::Router;
use axum::routing::{get, post};

pub(super) fn router() -> Router {
    Router::new()
        .route("/login", post(async || "none"))
        .route("/field", get(async || "dark"))
        .route("/set", post(async || {}))
        .route("/update", post(async || {}))
        .route("/none", get(async || "none"))
}
