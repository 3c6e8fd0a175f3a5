//! The page to try everything by hand, with a strict content security policy.

use axum::Router;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::response::IntoResponse;
use axum::routing::on;

use crate::routes::GET_AND_POST;

/// Script, style and requests of this server; nothing else.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
    connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

pub(crate) fn router() -> Router {
    let html = file("text/html; charset=utf-8", include_str!("page.html"));
    let css = file("text/css; charset=utf-8", include_str!("page.css"));
    let js = file("text/javascript; charset=utf-8", include_str!("page.js"));
    Router::new()
        .route("/", on(GET_AND_POST, html))
        .route("/page.css", on(GET_AND_POST, css))
        .route("/page.js", on(GET_AND_POST, js))
}

fn file(content_type: &'static str, text: &'static str) -> impl IntoResponse + Clone {
    let headers = [
        (CONTENT_TYPE, content_type),
        (CONTENT_SECURITY_POLICY, POLICY),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
