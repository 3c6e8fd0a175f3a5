//! The layer around all routes.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use tokio::task::futures::TaskLocalFuture;
use tower::{Layer, Service};
use tracing::Instrument as _;
use tracing::instrument::Instrumented;

use crate::observe::future::Observed;
use crate::observe::request_log::{RequestLog, RequestMetrics};
use crate::request_context::RequestContext;
use crate::settings::{LogSettings, Settings};

/// Adds to every request of `router`: an id, a deadline, a log line, metrics, and a 500 response
/// if a handler panics. Caches must not store a response that does not say otherwise.
pub(crate) fn layer(router: Router, settings: &Settings) -> Router {
    router.layer(Observe {
        deadline: settings.http.request_timeout,
        log: settings.log,
        metrics: RequestMetrics::default(),
    })
}

/// Layer that observes requests. A separate service: `axum::middleware::from_fn` allocates a copy
/// of the route and a future for each request.
#[derive(Clone)]
struct Observe {
    deadline: Duration,
    log: LogSettings,
    metrics: RequestMetrics,
}

impl<S> Layer<S> for Observe {
    type Service = Observing<S>;

    fn layer(&self, inner: S) -> Observing<S> {
        let observe = self.clone();
        Observing { inner, observe }
    }
}

/// Service that observes the requests of a route.
#[derive(Clone)]
struct Observing<S> {
    inner: S,
    observe: Observe,
}

impl<S> Service<Request> for Observing<S>
where
    S: Service<Request, Response = Response, Error = Infallible>,
{
    type Response = Response;
    type Error = Infallible;
    type Future = Instrumented<TaskLocalFuture<RequestContext, Observed<S::Future>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let Observe {
            deadline,
            log,
            metrics,
        } = &self.observe;
        let context = RequestContext::of(request.headers());
        let log = RequestLog::start(&request, context, metrics.clone(), *log);
        let span = tracing::debug_span!("request", request_id = context.request_id());
        let response = tokio::time::timeout(*deadline, self.inner.call(request));
        context
            .scope(Observed::new(response, log, context))
            .instrument(span)
    }
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
