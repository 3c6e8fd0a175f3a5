//! Log line and metrics of a request.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use http::StatusCode;

use crate::observe::request_metrics::{RequestMetrics, method_label};
use crate::request_id::RequestId;

/// The target of the log lines of requests.
const TARGET: &str = "sessiond::access";

/// A request in progress. Counted and logged when dropped, so also if the client disconnects.
///
/// It holds the route, never the path: a path may contain an id, and a query a key.
pub(super) struct RequestLog {
    id: RequestId,
    metrics: RequestMetrics,
    is_logged: bool,
    start: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: Option<StatusCode>,
}

impl RequestLog {
    pub(super) fn start(
        request: &Request,
        id: RequestId,
        metrics: RequestMetrics,
        is_logged: bool,
    ) -> Self {
        Self {
            id,
            metrics,
            is_logged,
            start: Instant::now(),
            method: method_label(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            status: None,
        }
    }

    /// Ends the request with the status of its response.
    pub(super) fn finish(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for RequestLog {
    fn drop(&mut self) {
        let (method, status, took) = (self.method, self.status, self.start.elapsed());
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        self.metrics.record(method, route, status, took);
        if !self.is_logged {
            return;
        }
        let (id, micros) = (self.id.as_str(), took.as_micros() as u64);
        // `%` writes text without quotes: none of these needs any. A status is a number in JSON.
        match status.map(|status| status.as_u16()) {
            Some(status) => {
                tracing::info!(target: TARGET, %id, %method, %route, status, micros, "request");
            }
            None => {
                let status = "aborted";
                tracing::info!(target: TARGET, %id, %method, %route, %status, micros, "request");
            }
        }
    }
}
