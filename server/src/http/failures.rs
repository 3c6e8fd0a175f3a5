//! How often a client may fail to authenticate.

use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use jwt_redis_session::TokenRejection;

use crate::error::ApiError;
use crate::http::Client;

/// At how many clients those who have long been quiet are forgotten.
const CROWD: usize = 10_000;

/// Counts failed authentications by client address.
///
/// A good credential is never held up: behind one address there may be many callers, and a
/// stranger must not be able to lock them out. What a flood of bad ones gets is the cheaper 429.
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

    /// Returns the answer to a client whose token was refused for `reason`: `refusal`, or 429 as
    /// [`failed`](Self::failed) if the token was never one of ours. One that may have been is not
    /// counted: a good one cannot be guessed, and behind one address there may be many
    /// honest clients whose sessions have ended or whose tokens were signed by an earlier secret.
    pub(crate) fn refused(
        &self,
        client: Client,
        reason: TokenRejection,
        refusal: ApiError,
    ) -> ApiError {
        match reason {
            TokenRejection::Malformed | TokenRejection::TooLong => self.failed(client, refusal),
            _ => refusal,
        }
    }

    /// What to answer a client whose authentication has failed: `refusal`, or 429 if it has
    /// failed too often.
    pub(crate) fn failed(&self, client: Client, refusal: ApiError) -> ApiError {
        metrics::counter!("sessiond_failed_authentications_total").increment(1);
        self.0.forget_quiet_ones();
        match self.0.limiter.check_key(&address(client)) {
            Ok(()) => refusal,
            Err(until) => {
                let wait = until.wait_time_from(DefaultClock::default().now());
                ApiError::too_many_requests(wait.as_secs() + 1)
            }
        }
    }
}

impl Failures {
    /// Forgets clients who have long been quiet, now and then: it looks at every client.
    fn forget_quiet_ones(&self) {
        let count = self.count.fetch_add(1, Ordering::Relaxed);
        if count.is_multiple_of(CROWD / 10) && self.limiter.len() > CROWD {
            self.limiter.retain_recent();
        }
    }
}

impl fmt::Debug for FailedAuthentications {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailedAuthentications")
            .finish_non_exhaustive()
    }
}

/// Of IPv6 the first 64 bits: the rest one client can choose freely.
fn address(client: Client) -> IpAddr {
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

    #[test]
    fn a_client_that_fails_too_often_is_told_so_and_others_are_not() {
        let failures = FailedAuthentications::new(NonZeroU32::new(2).unwrap());
        let fails = |client: IpAddr| {
            let refusal = ApiError::unauthorized("no", "ApiKey");
            failures.failed(Client(client), refusal).status().as_u16()
        };
        let v4 = |last| IpAddr::from([127, 0, 0, last]);
        assert_eq!([fails(v4(1)), fails(v4(1)), fails(v4(1))], [401, 401, 429]);
        assert_eq!(fails(v4(2)), 401);
        let v6 = |last| IpAddr::from([1, 2, 3, 4, 0, 0, 0, last]);
        assert_eq!([fails(v6(1)), fails(v6(2)), fails(v6(3))], [401, 401, 429]);
    }

    #[test]
    fn a_token_counts_only_if_it_was_never_one_of_ours() {
        let failures = FailedAuthentications::new(NonZeroU32::new(1).unwrap());
        let client = Client(IpAddr::from([127, 0, 0, 1]));
        let refused = |reason| {
            let refusal = ApiError::unauthorized("no", "Bearer");
            failures.refused(client, reason, refusal).status().as_u16()
        };
        for _ in 0..3 {
            for reason in [
                TokenRejection::Unknown,
                TokenRejection::Expired,
                TokenRejection::Signature,
            ] {
                assert_eq!(refused(reason), 401);
            }
        }
        assert_eq!(refused(TokenRejection::Malformed), 401);
        assert_eq!(refused(TokenRejection::TooLong), 429);
        assert_eq!(refused(TokenRejection::Unknown), 401);
    }

    #[test]
    fn clients_who_have_been_quiet_are_forgotten() {
        let failures = FailedAuthentications::new(NonZeroU32::new(1_000_000_000).unwrap());
        for client in 0..3 * CROWD as u32 {
            let client = Client(IpAddr::from(client.to_be_bytes()));
            failures.failed(client, ApiError::bad_request("no"));
        }
        assert!(failures.0.limiter.len() <= CROWD + CROWD / 10);
    }
}
