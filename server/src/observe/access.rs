//! The end of a request, as it is counted and logged.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use http::StatusCode;

use crate::observe::meters::{Meters, known};

/// A request under way; counted and logged when dropped, so also when the client goes away.
///
/// It knows the route, never the path: that may hold an id, and the query a key.
pub(super) struct Access {
    meters: Meters,
    is_logged: bool,
    start: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: Option<StatusCode>,
}

impl Access {
    pub(super) fn start(request: &Request, meters: Meters, is_logged: bool) -> Self {
        Self {
            meters,
            is_logged,
            start: Instant::now(),
            method: known(request.method()),
            route: request.extensions().get::<MatchedPath>().cloned(),
            status: None,
        }
    }

    /// Ends it with an answer.
    pub(super) fn answered(mut self, status: StatusCode) {
        self.status = Some(status);
    }
}

impl Drop for Access {
    fn drop(&mut self) {
        let (method, status, took) = (self.method, self.status, self.start.elapsed());
        let route = self.route.as_ref().map_or("unmatched", MatchedPath::as_str);
        self.meters.record(method, route, status, took);
        if !self.is_logged {
            return;
        }
        let micros = took.as_micros() as u64;
        match status.map(|status| status.as_u16()) {
            Some(status) => tracing::info!(method, route, status, micros, "request"),
            None => tracing::info!(method, route, micros, "request aborted by the client"),
        }
    }
}
