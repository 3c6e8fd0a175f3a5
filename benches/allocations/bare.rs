//! The routes without a session.

use axum::Router;
use axum::routing::get;

pub(crate) fn router() -> Router {
    Router::new()
        .route("/read", get(async || "dark".to_owned()))
        .route("/update", get(async || "43".to_owned()))
        .route("/unused", get(async || "unused".to_owned()))
}
