//! The layer around every route.

use std::any::Any;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderValue, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::observe::request_id;
use crate::observe::request_log::RequestLog;
use crate::observe::request_metrics::RequestMetrics;
use crate::request_scope;
use crate::settings::Settings;

/// Adds to every request of `router`: an id, a deadline, a log line, metrics, and a 500 response
/// if a handler panics.
pub(crate) fn layer(router: Router, settings: &Settings) -> Router {
    let (deadline, is_logged) = (settings.http.request_timeout, settings.log.access);
    let metrics = RequestMetrics::default();
    let observe = from_fn(move |request: Request, next| {
        let id = request_id::of(&request);
        let log = RequestLog::start(&request, id.clone(), metrics.clone(), is_logged);
        observe(request, next, id, deadline, log)
    });
    // One tuple instead of two layers: axum clones the inner router per layer and request.
    router.layer((observe, CatchPanicLayer::custom(panicked)))
}

async fn observe(
    request: Request,
    next: Next,
    id: HeaderValue,
    deadline: Duration,
    log: RequestLog,
) -> Response {
    let span = tracing::debug_span!("request", id = request_id::text(&id));
    let answer = request_scope::scope(id.clone(), async {
        let response = tokio::time::timeout(deadline, next.run(request)).await;
        let response = response
            .unwrap_or_else(|_| ApiError::unavailable("the request took too long").into_response());
        log.finish(response.status());
        response
    });
    let mut response = answer.instrument(span).await;
    response.headers_mut().insert(request_id::HEADER, id);
    response
}

/// Answers a panic without details; the panic hook has logged its location.
fn panicked(_: Box<dyn Any + Send>) -> Response<Body> {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn boom() {
        panic!("the data of a session");
    }

    #[tokio::test]
    async fn a_panic_is_a_500_that_tells_nothing() {
        let router = layer(Router::new().route("/", get(boom)), &Settings::default());
        let response = router
            .oneshot(http::Request::<Body>::default())
            .await
            .unwrap();
        assert_eq!(response.status(), 500);
        assert!(response.headers().contains_key(request_id::HEADER));
        let body = response.into_body().collect().await.unwrap().to_bytes();
        assert_eq!(body, r#"{"error":"internal error"}"#);
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_that_takes_too_long_is_503() {
        let router = Router::new().route("/", get(std::future::pending::<()>));
        let router = layer(router, &Settings::default());
        let response = router
            .oneshot(http::Request::<Body>::default())
            .await
            .unwrap();
        assert_eq!(response.status(), 503);
    }
}
