//! What is seen of each request: its id, how long it may take, a line in the log, the metrics.

use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{MatchedPath, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderName, HeaderValue, Method, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;

use crate::error::ApiError;
use crate::settings::Settings;

/// The header that names a request, in both directions.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Puts everything that concerns each request around `router`.
pub(crate) fn layer(router: Router, settings: &Settings) -> Router {
    let (deadline, access) = (settings.http.request_timeout, settings.log.access);
    router
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn(move |request, next| {
            observe(request, next, deadline, access)
        }))
}

async fn observe(request: Request, next: Next, deadline: Duration, access: bool) -> Response {
    let start = Instant::now();
    let id = request_id(&request);
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let mut response = match tokio::time::timeout(deadline, next.run(request)).await {
        Ok(response) => response,
        Err(_) => ApiError::unavailable("the request took too long").into_response(),
    };
    let route = route.as_ref().map_or("unmatched", MatchedPath::as_str);
    record(&method, route, response.status(), start.elapsed());
    if access {
        tracing::info!(
            request_id = id.to_str().unwrap_or_default(),
            %method,
            route,
            status = response.status().as_u16(),
            micros = start.elapsed().as_micros() as u64,
            "request"
        );
    }
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id that the client gave the request, if it is fit for a log; else a random one.
fn request_id(request: &Request) -> HeaderValue {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    match request.headers().get(&REQUEST_ID) {
        Some(id) if (1..=64).contains(&id.len()) && id.as_bytes().iter().copied().all(fits) => {
            id.clone()
        }
        _ => random_id(),
    }
}

fn random_id() -> HeaderValue {
    let mut bits = [0; 16];
    crate::crypto::fill_random(&mut bits);
    let id = format!("{:032x}", u128::from_be_bytes(bits));
    HeaderValue::try_from(id).expect("digits are a header's value")
}

fn record(method: &Method, route: &str, status: StatusCode, took: Duration) {
    let labels = [
        ("method", known(method).to_owned()),
        ("route", route.to_owned()),
        ("status", status.as_str().to_owned()),
    ];
    metrics::counter!("sessiond_requests_total", &labels).increment(1);
    let labels = [("route", route.to_owned())];
    metrics::histogram!("sessiond_request_seconds", &labels).record(took.as_secs_f64());
}

/// A method by its name; what a client made up itself must not become a label.
fn known(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
    ];
    let known = METHODS.iter().find(|known| **known == method.as_str());
    known.copied().unwrap_or("other")
}

/// What a client is told of a panic: nothing. The log tells where it was; not its text, which
/// may hold anything.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response<Body> {
    ApiError::internal(&"a handler panicked").into_response()
}
