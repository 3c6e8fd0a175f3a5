//! The meters of requests.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::{Method, StatusCode};
use metrics::{Counter, Histogram};

/// The label of a request whose client went away before it was answered.
const ABORTED: &str = "aborted";

/// How many requests there were, by method, route and status; how long they took, by route.
///
/// The labels are made once for each kind of request, not once a request; there are only as many
/// kinds as routes times a few, since the route is the one that the request matched and a made-up
/// method is `other`.
#[derive(Clone, Default)]
pub(super) struct Meters(Arc<RwLock<HashMap<String, Kinds>>>);

/// The meters of one route, by method and status.
type Kinds = HashMap<(&'static str, Option<StatusCode>), Meter>;

#[derive(Clone)]
struct Meter {
    requests: Counter,
    seconds: Histogram,
}

impl Meters {
    /// Counts a request; `status` is `None` if the client did not wait for it.
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

impl fmt::Debug for Meters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Meters").finish_non_exhaustive()
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

/// A method by its name; what a client made up itself is for no label and no log.
pub(super) fn known(method: &Method) -> &'static str {
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
        let meters = Meters::default();
        for method in ["GET", "GET", "BREW", "BREWER"] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            meters.record(known(&method), "/a", Some(StatusCode::OK), Duration::ZERO);
        }
        assert_eq!(meters.0.read().unwrap()["/a"].len(), 2);
    }
}
