//! Limits failed authentications per client.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::StatusCode;
use http::header::RETRY_AFTER;
use jwt_redis_session::TokenRejection;

use crate::error::ApiError;
use crate::http::Client;

/// The number of clients above which idle ones are removed.
const MAX_CLIENTS: usize = 10_000;

/// Counts failed authentications by client address.
///
/// A valid credential is never delayed: many callers may share an address, and one of them must
/// not be able to lock out the others. Too many invalid ones are answered 429.
pub(crate) struct FailedAuthentications {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    count: AtomicUsize,
}

impl FailedAuthentications {
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            count: AtomicUsize::new(0),
        }
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
        self.attempt(client).err().unwrap_or(error)
    }

    /// Counts an attempt to authenticate with a credential that can be guessed.
    /// Errors: 429 if the client has made too many; then the credential must not be checked.
    pub(crate) fn attempt(&self, client: Client) -> Result<(), ApiError> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Only every thousandth time, because it iterates over all clients.
        if count.is_multiple_of(MAX_CLIENTS / 10) && self.limiter.len() > MAX_CLIENTS {
            self.limiter.retain_recent();
        }
        match self.limiter.check_key(&network(client.address)) {
            Ok(()) => Ok(()),
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                let message = "too many failed authentications; try again later";
                Err(ApiError::new(StatusCode::TOO_MANY_REQUESTS, message)
                    .with_header(RETRY_AFTER, (wait.as_secs() + 1).into()))
            }
        }
    }
}

/// Returns the address or IPv6 network to which the limit applies. An IPv6 client can choose the
/// last 64 bits freely.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
        v4 @ IpAddr::V4(_) => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failures(per_minute: u32) -> FailedAuthentications {
        FailedAuthentications::new(per_minute.try_into().unwrap())
    }

    fn client(address: impl Into<IpAddr>) -> Client {
        let (address, over_tls) = (address.into(), false);
        Client { address, over_tls }
    }

    #[test]
    fn failures_are_limited_per_network() {
        let failures = failures(2);
        let fails = |address: IpAddr| {
            let error = ApiError::bad_request("no");
            failures.failed(client(address), error).status().as_u16()
        };
        let v4 = |last| IpAddr::from([127, 0, 0, last]);
        assert_eq!([fails(v4(1)), fails(v4(1)), fails(v4(1))], [400, 400, 429]);
        assert_eq!(fails(v4(2)), 400);
        let v6 = |last| IpAddr::from([1, 2, 3, 4, 0, 0, 0, last]);
        assert_eq!([fails(v6(1)), fails(v6(2)), fails(v6(3))], [400, 400, 429]);
    }

    #[test]
    fn only_malformed_tokens_are_counted() {
        let failures = failures(1);
        for (reason, status) in [
            (TokenRejection::Unknown, 400),
            (TokenRejection::Expired, 400),
            (TokenRejection::Signature, 400),
            (TokenRejection::Malformed, 400),
            (TokenRejection::TooLong, 429),
            (TokenRejection::Unknown, 400),
        ] {
            let (client, error) = (client([127, 0, 0, 1]), ApiError::bad_request("no"));
            let error = failures.token_rejected(client, reason, error);
            assert_eq!(error.status(), status, "{reason:?}");
        }
    }

    #[test]
    fn idle_clients_are_removed() {
        let failures = failures(1_000_000_000);
        for number in 0..3 * MAX_CLIENTS as u32 {
            failures.failed(client(number.to_be_bytes()), ApiError::bad_request("no"));
        }
        assert!(failures.limiter.len() <= MAX_CLIENTS + MAX_CLIENTS / 10);
    }
}
