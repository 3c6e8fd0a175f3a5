//! JSON responses that caches must not store.

use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

/// The usual size of a body.
const SIZE: usize = 512;

/// The number of headers of most responses, with those that are added later. A table that grows
/// hashes all of its names again.
const HEADERS: usize = 12;

/// Returns a response with `body` as JSON that caches must not store.
pub(crate) fn private_json(status: StatusCode, body: impl Serialize) -> Response {
    let mut text = Vec::with_capacity(SIZE);
    // Fails only for types that are not JSON. What this service sends is.
    match serde_json::to_writer(&mut text, &body) {
        Ok(()) => private_text(status, text),
        Err(_) => private_text(StatusCode::INTERNAL_SERVER_ERROR, Vec::new()),
    }
}

/// As [`private_json`], with a body that is JSON already.
pub(crate) fn private_text(status: StatusCode, json: impl Into<Body>) -> Response {
    let mut response = Response::new(json.into());
    *response.status_mut() = status;
    let mut headers = HeaderMap::with_capacity(HEADERS);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    *response.headers_mut() = headers;
    response
}
