//! Metrics of requests.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// Counts requests by method, route and status, and measures their duration by route.
///
/// The handles are cached, so that a request allocates no labels. Their number is bounded: the
/// route is the matched one, and unknown methods share the label `other`.
#[derive(Clone, Default)]
pub(super) struct RequestMetrics(Arc<RwLock<HashMap<String, HashMap<Kind, Meter>>>>);

/// A method and a status.
type Kind = (&'static str, Option<StatusCode>);

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
        let meter = self.cached(route, kind);
        let meter = meter.unwrap_or_else(|| self.register(route, kind));
        meter.requests.increment(1);
        meter.seconds.record(took.as_secs_f64());
    }

    fn cached(&self, route: &str, kind: Kind) -> Option<Meter> {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        routes.get(route)?.get(&kind).cloned()
    }

    fn register(&self, route: &str, kind: Kind) -> Meter {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let meters = routes.entry(route.to_owned()).or_default();
        let meter = meters
            .entry(kind)
            .or_insert_with(|| Meter::new(route, kind));
        meter.clone()
    }
}

impl Meter {
    fn new(route: &str, (method, status): Kind) -> Self {
        let status = status.as_ref().map_or("aborted", StatusCode::as_str);
        let labels = [("method", method), ("route", route), ("status", status)];
        let labels = labels.map(|(name, value)| (name, value.to_owned()));
        Self {
            requests: metrics::counter!("sessiond_requests_total", &labels),
            seconds: metrics::histogram!("sessiond_request_seconds", "route" => route.to_owned()),
        }
    }
}

/// Returns the name of a standard method, and `other` for any other.
pub(super) fn method_label(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
    ];
    let mut standard = METHODS.into_iter();
    standard
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}
