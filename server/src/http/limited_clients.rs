//! Reports clients whose requests are answered 429.

use std::net::IpAddr;
use std::num::NonZeroU32;

use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};

use crate::request_context::RequestContext;

/// Logs a client that is limited, at most once per minute.
pub(super) struct LimitedClients {
    lines: DefaultKeyedRateLimiter<IpAddr>,
}

impl LimitedClients {
    pub(super) fn new() -> Self {
        let lines = RateLimiter::keyed(Quota::per_minute(NonZeroU32::MIN));
        Self { lines }
    }

    /// Counts a request that is answered 429.
    pub(super) fn record(&self, client: IpAddr) {
        metrics::counter!("sessiond_limited_requests_total").increment(1);
        if self.lines.check_key(&client).is_ok() {
            let context = RequestContext::current();
            tracing::warn!(
                request_id = context.request_id(),
                trace_id = context.trace_id(),
                %client,
                "the client sends too many wrong credentials; they are answered 429"
            );
        }
    }

    /// Forgets the clients that were not limited in the last minute.
    pub(super) fn remove_idle(&self) {
        self.lines.retain_recent();
    }
}
