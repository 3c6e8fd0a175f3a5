//! Response future of the layer around all routes.

use std::convert::Infallible;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::response::{IntoResponse as _, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderValue, StatusCode};
use pin_project_lite::pin_project;
use tokio::time::Timeout;

use crate::error::ApiError;
use crate::observe::request_log::RequestLog;
use crate::request_context::RequestContext;

pin_project! {
    /// Response future of a request that is observed.
    pub(super) struct Observed<F> {
        // `tower_http::timeout` answers with an empty body, which looks like that of a handler, and
        // `tower_http::catch_panic` boxes the body of every response once more.
        #[pin]
        response: Timeout<F>,
        // If the client disconnects, this is dropped before it has a status.
        log: Option<RequestLog>,
        context: RequestContext,
    }
}

impl<F> Observed<F> {
    pub(super) fn new(response: Timeout<F>, log: RequestLog, context: RequestContext) -> Self {
        Self {
            response,
            log: Some(log),
            context,
        }
    }
}

impl<F: Future<Output = Result<Response, Infallible>>> Future for Observed<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        // After a panic, the future is not polled again.
        let mut response = match catch_unwind(AssertUnwindSafe(|| this.response.poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(Ok(Ok(response)))) => response,
            Ok(Poll::Ready(Err(_))) => {
                ApiError::unavailable("the request took too long").into_response()
            }
            // Without details; the panic hook has logged the location.
            Err(_) => {
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal error").into_response()
            }
        };
        if let Some(log) = this.log.take() {
            log.finish(response.status());
        }
        let headers = response.headers_mut();
        this.context.add_to(headers);
        let no_store = HeaderValue::from_static("no-store");
        headers.entry(CACHE_CONTROL).or_insert(no_store);
        Poll::Ready(Ok(response))
    }
}
