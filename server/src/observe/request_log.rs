//! Log line and metrics of a request.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use http::header::USER_AGENT;
use http::{HeaderValue, Method, StatusCode};
use metrics::{Counter, Histogram};
use tracing::field::display;
use tracing::{Level, Value};

use crate::http::Client;
use crate::request_context::RequestContext;
use crate::settings::LogSettings;

/// The target of the log lines of requests.
pub(crate) const ACCESS_TARGET: &str = "sessiond::access";

/// The number of bytes of `User-Agent` that are logged.
const MAX_USER_AGENT: usize = 256;

/// A request in progress. Counted and logged when dropped, so also if the client disconnects.
///
/// It holds the route, never the path: a path may contain an id, and a query a key.
pub(super) struct RequestLog {
    context: RequestContext,
    metrics: RequestMetrics,
    /// The client, if the request is logged.
    client: Option<Client>,
    user_agent: Option<HeaderValue>,
    start: Instant,
    method: &'static str,
    route: Option<MatchedPath>,
    status: Option<StatusCode>,
}

impl RequestLog {
    pub(super) fn start(
        request: &Request,
        context: RequestContext,
        metrics: RequestMetrics,
        settings: LogSettings,
    ) -> Self {
        let is_logged = settings.access && tracing::enabled!(target: ACCESS_TARGET, Level::INFO);
        let (extensions, headers) = (request.extensions(), request.headers());
        let user_agent = headers.get(USER_AGENT).filter(|_| settings.user_agent);
        Self {
            context,
            metrics,
            client: is_logged.then(|| Client::of(extensions, headers)),
            user_agent: user_agent.filter(|_| is_logged).cloned(),
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
        self.metrics.record(route, (method, status), took);
        let Some(Client { address, .. }) = self.client else {
            return;
        };
        let (context, micros) = (&self.context, took.as_micros() as u64);
        // Unlike the other fields, it is quoted and escaped.
        let user_agent = self.user_agent.as_ref().map(|value| {
            let value = value.as_bytes();
            String::from_utf8_lossy(&value[..value.len().min(MAX_USER_AGENT)])
        });
        let user_agent = user_agent.as_deref();
        // `%` writes text without quotes: none of these needs any. A status is a number in JSON.
        let (status, aborted) = (status.map(|status| status.as_u16()), display("aborted"));
        let status: &dyn Value = status.as_ref().map_or(&aborted, |status| status);
        tracing::info!(
            target: ACCESS_TARGET,
            request_id = context.request_id(),
            trace_id = context.trace_id(),
            client = %address,
            %method,
            %route,
            status,
            micros,
            user_agent,
            "request"
        );
    }
}

/// Counts requests by method, route and status, and measures their duration by route.
///
/// The handles are cached, so that a request allocates no labels. Their number is bounded: the
/// route is the matched one, and unknown methods share the label `other`.
#[derive(Clone, Default)]
pub(super) struct RequestMetrics(Arc<RwLock<HashMap<String, HashMap<Kind, Meter>>>>);

/// A method and a status, which is `None` if the client disconnected before the response.
type Kind = (&'static str, Option<StatusCode>);

#[derive(Clone)]
struct Meter {
    requests: Counter,
    seconds: Histogram,
}

impl RequestMetrics {
    fn record(&self, route: &str, kind: Kind, took: Duration) {
        let routes = self.0.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(meter) = routes.get(route).and_then(|kinds| kinds.get(&kind)) {
            return meter.record(took);
        }
        drop(routes);
        self.register(route, kind).record(took);
    }

    fn register(&self, route: &str, kind: Kind) -> Meter {
        let mut routes = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let meters = routes.entry(route.to_owned()).or_default();
        let meter = meters.entry(kind);
        meter.or_insert_with(|| Meter::new(route, kind)).clone()
    }
}

impl Meter {
    fn record(&self, took: Duration) {
        self.requests.increment(1);
        self.seconds.record(took.as_secs_f64());
    }

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
fn method_label(method: &Method) -> &'static str {
    const METHODS: [&str; 9] = [
        "GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "CONNECT", "TRACE",
    ];
    let mut standard = METHODS.into_iter();
    standard
        .find(|name| *name == method.as_str())
        .unwrap_or("other")
}
