//! Limits failed authentications per client.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{PoisonError, RwLock};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use http::StatusCode;
use http::header::RETRY_AFTER;
use jwt_redis_session::TokenRejection;

use crate::error::ApiError;
use crate::http::Client;
use crate::http::accepted::Accepted;
use crate::http::limited_clients::LimitedClients;

/// The number of clients above which idle ones are removed.
const MAX_CLIENTS: usize = 10_000;

/// Counts failed authentications by client address, and answers 429 to too many.
///
/// Until the limit admits another attempt, every secret and API key of the address is answered 429,
/// so that a right guess looks like a wrong one. Credentials that were right before are exempt:
/// many callers may share an address, and one of them must not be able to lock out the others.
///
/// Tokens are exempt too. They are signed or random, so they cannot be guessed.
pub(crate) struct FailedAuthentications {
    limiter: DefaultKeyedRateLimiter<IpAddr>,
    /// The clients over the limit, and when the next attempt of each is admitted.
    over: RwLock<HashMap<IpAddr, Instant>>,
    /// Configured secrets with the network of the client, API keys with their bucket.
    pub(crate) accepted: Accepted,
    count: AtomicUsize,
    limited: LimitedClients,
}

impl FailedAuthentications {
    pub(crate) fn new(per_minute: NonZeroU32) -> Self {
        Self {
            limiter: RateLimiter::keyed(Quota::per_minute(per_minute)),
            over: RwLock::default(),
            accepted: Accepted::default(),
            count: AtomicUsize::new(0),
            limited: LimitedClients::new(),
        }
    }

    /// Checks that the client is not over the limit; does not count as an attempt.
    /// Errors: 429.
    pub(crate) fn check(&self, client: Client) -> Result<(), ApiError> {
        let over = self.over.read().unwrap_or_else(PoisonError::into_inner);
        let until = over.get(&network(client.address));
        let wait = until.and_then(|until| until.checked_duration_since(Instant::now()));
        let network = network(client.address);
        wait.map_or(Ok(()), |wait| Err(self.too_many(network, wait)))
    }

    /// Returns `verified`, the result of comparing `secret` with the configured ones.
    /// Errors: `error` if it is not one of them; 429 if the client is over the limit, even if it is.
    pub(crate) fn settle<T>(
        &self,
        client: Client,
        secret: &[u8],
        verified: Option<T>,
        error: ApiError,
    ) -> Result<T, ApiError> {
        // Per network: a client that guesses must not benefit from others that have the secret.
        let secret = (network(client.address), secret);
        if !self.accepted.contains(&secret) {
            self.check(client)?;
        }
        let verified = verified.ok_or_else(|| self.failed(client, error))?;
        self.accepted.insert(&secret);
        Ok(verified)
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

    /// Returns the number of clients whose failures are remembered.
    pub(crate) fn clients(&self) -> usize {
        self.limiter.len()
    }

    /// Counts a failed authentication. Returns `error`, or 429 if the client failed too often.
    pub(crate) fn failed(&self, client: Client, error: ApiError) -> ApiError {
        match self.attempt(client) {
            Ok(()) => {
                count_failure();
                error
            }
            Err(limited) => limited,
        }
    }

    /// Counts an attempt to authenticate with a credential that can be guessed.
    /// Errors: 429 if the client has made too many; then the credential must not be checked.
    pub(crate) fn attempt(&self, client: Client) -> Result<(), ApiError> {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        // Only every thousandth time, because it iterates over all clients.
        if count.is_multiple_of(MAX_CLIENTS / 10) && self.limiter.len() > MAX_CLIENTS {
            self.forget_idle_clients();
        }
        let network = network(client.address);
        let Err(until) = self.limiter.check_key(&network) else {
            return Ok(());
        };
        let wait = until.wait_time_from(DefaultClock::default().now());
        let mut over = self.over.write().unwrap_or_else(PoisonError::into_inner);
        over.insert(network, Instant::now() + wait);
        drop(over);
        Err(self.too_many(network, wait))
    }

    /// Returns the response to a client that is over the limit for another `wait`.
    fn too_many(&self, client: IpAddr, wait: Duration) -> ApiError {
        count_failure();
        self.limited.record(client);
        let message = "too many failed authentications from this address; wait as long as \
                       Retry-After says";
        ApiError::new(StatusCode::TOO_MANY_REQUESTS, message)
            .with_header(RETRY_AFTER, (wait.as_secs() + 1).into())
    }

    fn forget_idle_clients(&self) {
        self.limiter.retain_recent();
        self.limited.remove_idle();
        let now = Instant::now();
        let mut over = self.over.write().unwrap_or_else(PoisonError::into_inner);
        over.retain(|_, until| *until > now);
    }
}

/// Counts a failed authentication in the metrics only.
pub(crate) fn count_failure() {
    metrics::counter!("sessiond_failed_authentications_total").increment(1);
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
    fn right_guess_looks_like_a_wrong_one_above_the_limit() {
        let failures = failures(1);
        let client = |last| client([127, 0, 0, last]);
        let sends = |last, secret: &str| {
            let verified = ["right", "other"].contains(&secret).then_some(());
            let error = ApiError::bad_request("no");
            let settled = failures.settle(client(last), secret.as_bytes(), verified, error);
            settled.map_or_else(|error| error.status().as_u16(), |()| 200)
        };
        // Below the limit, and from another address.
        assert_eq!([sends(1, "other"), sends(2, "right")], [200, 200]);
        let guesses = ["a", "b", "right", "right", "c"].map(|guess| sends(1, guess));
        assert_eq!(guesses, [400, 429, 429, 429, 429]);
        // Right before, from this address.
        assert_eq!([sends(1, "other"), sends(2, "right")], [200, 200]);
        assert_eq!([sends(2, "a"), sends(2, "b")], [400, 429]);
        assert_eq!([sends(2, "right"), sends(2, "other")], [200, 429]);
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
        let over = (IpAddr::from([127, 0, 0, 1]), Instant::now());
        failures.over.write().unwrap().extend([over]);
        for number in 0..3 * MAX_CLIENTS as u32 {
            failures.failed(client(number.to_be_bytes()), ApiError::bad_request("no"));
        }
        assert!(failures.limiter.len() <= MAX_CLIENTS + MAX_CLIENTS / 10);
        assert!(failures.over.read().unwrap().is_empty());
    }
}
