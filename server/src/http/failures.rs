//! Limits failed authentications per client.

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jwt_redis_session::TokenRejection;

use crate::error::ApiError;
use crate::http::Client;

/// The number of clients above which idle ones are removed.
const MAX_CLIENTS: usize = 10_000;

/// Counts failed authentications by client address.
///
/// A valid credential is never delayed: many callers may share an address, and one of them must
/// not be able to lock out the others. Too many invalid ones are answered 429.
#[derive(Clone)]
pub(crate) struct FailedAuthentications(Arc<Failures>);

struct Failures {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    count: AtomicUsize,
}

impl FailedAuthentications {
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        Self(Arc::new(Failures {
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            count: AtomicUsize::new(0),
        }))
    }

    /// Counts a token that was rejected for `reason`, unless it may once have been valid. Returns
    /// `error`, or 429 as [`failed`](Self::failed).
    pub(crate) fn token_rejected(
        &self,
        client: Client,
        reason: TokenRejection,
        error: ApiError,
    ) -> ApiError {
        match reason {
            TokenRejection::Malformed | TokenRejection::TooLong => self.failed(client, error),
            // A well-formed token cannot be guessed. One address may send many such tokens, whose
            // sessions have ended or whose secret is no longer configured.
            _ => error,
        }
    }

    /// Counts a failed authentication. Returns `error`, or 429 if the client failed too often.
    pub(crate) fn failed(&self, client: Client, error: ApiError) -> ApiError {
        metrics::counter!("sessiond_failed_authentications_total").increment(1);
        self.0.remove_idle_clients();
        match self.0.limiter.check_key(&network(client)) {
            Ok(()) => error,
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                ApiError::too_many_requests(wait.as_secs() + 1)
            }
        }
    }
}

impl Failures {
    fn remove_idle_clients(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Only every thousandth time, because it iterates over all clients.
        if count.is_multiple_of(MAX_CLIENTS / 10) && self.limiter.len() > MAX_CLIENTS {
            self.limiter.retain_recent();
        }
    }
}

/// Returns the address or IPv6 network to which the limit applies. An IPv6 client can choose the
/// last 64 bits freely.
fn network(client: Client) -> IpAddr {
    match client.0.to_canonical() {
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::from([a, b, c, d, 0, 0, 0, 0])
        }
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(per_minute: u32) -> FailedAuthentications {
        FailedAuthentications::new(NonZeroU32::new(per_minute).unwrap())
    }

    #[test]
    fn failures_are_limited_per_network() {
        let failures = failures(2);
        let fails = |client: IpAddr| {
            let error = ApiError::unauthorized("no", "ApiKey");
            failures.failed(Client(client), error).status().as_u16()
        };
        let v4 = |last| IpAddr::from([127, 0, 0, last]);
        assert_eq!([fails(v4(1)), fails(v4(1)), fails(v4(1))], [401, 401, 429]);
        assert_eq!(fails(v4(2)), 401);
        let v6 = |last| IpAddr::from([1, 2, 3, 4, 0, 0, 0, last]);
        assert_eq!([fails(v6(1)), fails(v6(2)), fails(v6(3))], [401, 401, 429]);
    }

    #[test]
    fn only_malformed_tokens_are_counted() {
        let failures = failures(1);
        let client = Client(IpAddr::from([127, 0, 0, 1]));
        for (reason, status) in [
            (TokenRejection::Unknown, 401),
            (TokenRejection::Expired, 401),
            (TokenRejection::Signature, 401),
            (TokenRejection::Malformed, 401),
            (TokenRejection::TooLong, 429),
            (TokenRejection::Unknown, 401),
        ] {
            let error = ApiError::unauthorized("no", "Bearer");
            let error = failures.token_rejected(client, reason, error);
            assert_eq!(error.status(), status, "{reason:?}");
        }
    }

    #[test]
    fn idle_clients_are_removed() {
        let failures = failures(1_000_000_000);
        for client in 0..3 * MAX_CLIENTS as u32 {
            let client = Client(IpAddr::from(client.to_be_bytes()));
            failures.failed(client, ApiError::bad_request("no"));
        }
        assert!(failures.0.limiter.len() <= MAX_CLIENTS + MAX_CLIENTS / 10);
    }
}
