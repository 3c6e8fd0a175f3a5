//! The layer around all routes.

use std::any::Any;

use axum::Router;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse as _, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use tower_http::catch_panic::CatchPanicLayer;
use tracing::Instrument as _;

use crate::error::ApiError;
use crate::observe::request_log::{RequestLog, RequestMetrics};
use crate::request_context::RequestContext;
use crate::settings::Settings;

/// Adds to every request of `router`: an id, a deadline, a log line, metrics, and a 500 response
/// if a handler panics. Caches must not store a response that does not say otherwise.
pub(crate) fn layer(router: Router, settings: &Settings) -> Router {
    let (deadline, log_settings) = (settings.http.request_timeout, settings.log);
    let metrics = RequestMetrics::default();
    let observe = from_fn(move |request: Request, next: Next| {
        let context = RequestContext::of(request.headers());
        let log = RequestLog::start(&request, context, metrics.clone(), log_settings);
        let span = tracing::debug_span!("request", request_id = context.request_id());
        let respond = async move {
            // `tower_http::timeout` answers with an empty body, which looks like that of a
            // handler.
            let response = tokio::time::timeout(deadline, next.run(request)).await;
            let late = |_| ApiError::unavailable("the request took too long").into_response();
            let mut response = response.unwrap_or_else(late);
            // If the client disconnects, this future is dropped before, and so `log` without a
            // status.
            log.finish(response.status());
            let headers = response.headers_mut();
            context.add_to(headers);
            let no_store = HeaderValue::from_static("no-store");
            headers.entry(CACHE_CONTROL).or_insert(no_store);
            response
        };
        context.scope(respond).instrument(span)
    });
    // One tuple instead of two layers: axum clones the inner router per layer and request.
    router.layer((observe, CatchPanicLayer::custom(panicked)))
}

/// Answers a panic without details; the panic hook has logged its location.
fn panicked(_: Box<dyn Any + Send>) -> Response {
    ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::handler::Handler;
    use axum::routing::get;
    use http::HeaderMap;
    use http_body_util::BodyExt as _;
    use tower::ServiceExt as _;

    use super::*;

    async fn response<T: 'static>(handler: impl Handler<T, ()>) -> (u16, String) {
        let router: Router = Router::new().route("/", get(handler));
        let router = layer(router, &Settings::default());
        let request = Request::get("/").header("x-request-id", "my-id");
        let response = router.oneshot(request.body(Body::empty()).unwrap());
        let response = response.await.unwrap();
        assert_eq!(response.headers()["x-request-id"], "my-id");
        let status = response.status().as_u16();
        #[expect(clippy::disallowed_methods, reason = "a response of this test")]
        let body = response.into_body().collect().await.unwrap().to_bytes();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn panics_are_500_late_responses_are_503_and_handlers_can_read_the_id() {
        let panics = async || -> () { panic!("the data of a session") };
        let body = |error| format!(r#"{{"error":"{error}"}}"#);
        assert_eq!(response(panics).await, (500, body("internal error")));
        let late = (503, body("the request took too long"));
        assert_eq!(response(std::future::pending::<()>).await, late);
        let id = || {
            let context = RequestContext::current();
            let mut headers = HeaderMap::new();
            context.add_to(&mut headers);
            format!("{headers:?}")
        };
        let current = response(async move || id()).await;
        assert_eq!(current, (200, r#"{"x-request-id": "my-id"}"#.to_owned()));
        assert_eq!(id(), "{}");
    }
}
