//! The end of a request, as it is counted and logged.

use std::time::Instant;

use axum::extract::{MatchedPath, Request};
use http::{HeaderValue, StatusCode};

use crate::log_lines::ACCESS;
use crate::observe::meters::{Meters, known};
use crate::observe::request_id;

/// A request under way; counted and logged when dropped, so also when the client goes away.
///
/// It knows the route, never the path: that may hold an id, and the query a key.
pub(super) struct Access {
    id: HeaderValue,
    meters: Meters,
    is_logged: bool,
    start: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: Option<StatusCode>,
}

impl Access {
    pub(super) fn start(
        request: &Request,
        id: HeaderValue,
        meters: Meters,
        is_logged: bool,
    ) -> Self {
        Self {
            id,
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
        let (id, micros) = (request_id::text(&self.id), took.as_micros() as u64);
        match status.map(|status| status.as_u16()) {
            Some(status) => tracing::info!(target: ACCESS, id, method, route, status, micros),
            // The client did not wait for the answer.
            None => tracing::info!(target: ACCESS, id, method, route, status = "aborted", micros),
        }
    }
}
