//! Request id and trace of a request, for its log lines and its response.

use std::future::Future;

use http::{HeaderMap, HeaderValue};
use tokio::task::futures::TaskLocalFuture;
use tracing::Value;
use tracing::field::display;

use crate::request_context::request_id::RequestId;
use crate::request_context::trace_parent::TraceParent;

tokio::task_local! {
    // A span of `tracing` holds them too, but an event can read a field of a span only by
    // formatting it.
    static CURRENT: RequestContext;
}

/// The request id and the trace of a request. The log has them as `request_id` and `trace_id`, the
/// response as `X-Request-Id` and `traceparent`.
#[derive(Clone, Copy, Default)]
pub(crate) struct RequestContext {
    request_id: Option<RequestId>,
    trace: Option<TraceParent>,
}

impl RequestContext {
    /// Returns what the client sent, and a random request id if it sent none that can be logged.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        Self {
            request_id: Some(RequestId::of(headers)),
            trace: TraceParent::of(headers),
        }
    }

    /// Runs `future`, in which this is the current context.
    pub(crate) fn scope<F: Future>(self, future: F) -> TaskLocalFuture<Self, F> {
        CURRENT.scope(self, future)
    }

    /// Returns the context of the current request for a log event; empty outside of a request.
    pub(crate) fn current() -> Self {
        CURRENT.try_with(|current| *current).unwrap_or_default()
    }

    /// Returns the field `request_id` of a log event.
    pub(crate) fn request_id(&self) -> Option<impl Value + '_> {
        // `display` writes it without quotes in every line: it needs none.
        self.request_id.as_ref().map(|id| display(id.as_str()))
    }

    /// Returns the field `trace_id` of a log event.
    pub(crate) fn trace_id(&self) -> Option<impl Value + '_> {
        self.trace.as_ref().map(|trace| display(trace.trace_id()))
    }

    /// Adds both to the headers of a response.
    pub(crate) fn add_to(&self, headers: &mut HeaderMap) {
        let id = self.request_id.as_ref().map(|id| id.as_str().as_bytes());
        let trace = self.trace.as_ref().map(TraceParent::as_bytes);
        let fields = [(RequestId::HEADER, id), (TraceParent::HEADER, trace)];
        for (name, text) in fields {
            let value = text.and_then(|text| HeaderValue::from_bytes(text).ok());
            if let Some(value) = value {
                headers.insert(name, value);
            }
        }
    }
}
