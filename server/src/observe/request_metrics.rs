//! Metrics of requests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// The status label of a request whose client disconnected before the response.
const ABORTED: &str = "aborted";

/// Counts requests by method, route and status, and measures their duration by route.
///
/// The handles are kept, so that a request allocates no labels. Their number is bounded: the route
/// is the matched one, and unknown methods share the label `other`.
#[derive(Clone, Default)]
pub(super) struct RequestMetrics(Arc<RwLock<HashMap<String, Kinds>>>);

/// The metrics of one route, by method and status.
type Kinds = HashMap<(&'static str, Option<StatusCode>), Meter>;

#[derive(Clone)]
struct Meter {
    requests: Counter,
    seconds: Histogram,
}

impl RequestMetrics {
    /// Counts a request; `status` is `None` if the client disconnected before the response.
    pub(super) fn record(
        &self,
        method: &'static str,
        route: &str,
        status: Option<StatusCode>,
        took: Duration,
    ) {
        let kind = (method, status);
        let meter = self.existing(route, kind);
        let meter = meter.unwrap_or_else(|| self.fresh(route, kind));
        meter.requests.increment(1);
        meter.seconds.record(took.as_secs_f64());
    }

    fn existing(&self, route: &str, kind: (&'static str, Option<StatusCode>)) -> Option<Meter> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(route)?.get(&kind).cloned()
    }

    fn fresh(&self, route: &str, kind: (&'static str, Option<StatusCode>)) -> Meter {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let kinds = routes.entry(route.to_owned()).or_default();
        kinds
            .entry(kind)
            .or_insert_with(|| Meter::new(kind.0, route, kind.1))
            .clone()
    }
}

impl fmt::Debug for RequestMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestMetrics").finish_non_exhaustive()
    }
}

impl Meter {
    fn new(method: &'static str, route: &str, status: Option<StatusCode>) -> Self {
        let status = status.as_ref().map_or(ABORTED, StatusCode::as_str);
        let labels = [
            ("method", method.to_owned()),
            ("route", route.to_owned()),
            ("status", status.to_owned()),
        ];
        let route = [("route", route.to_owned())];
        Self {
            requests: metrics::counter!("sessiond_requests_total", &labels),
            seconds: metrics::histogram!("sessiond_request_seconds", &route),
        }
    }
}

/// Returns the name of a standard method, and `other` for any other.
pub(super) fn method_label(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
    ];
    let known = METHODS.iter().find(|known| **known == method.as_str());
    known.copied().unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_that_clients_make_up_are_one_kind() {
        let metrics = RequestMetrics::default();
        for method in ["GET", "GET", "BREW", "BREWER"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            metrics.record(
                method_label(&method),
                "/a",
                Some(StatusCode::OK),
                Duration::ZERO,
            );
        }
        assert_eq!(metrics.0.read().unwrap()["/a"].len(), 2);
    }
}
