//! Sends a request again where that is safe.

use std::time::Duration;

use jwt_redis_session::store::StoreError;

use crate::error::Failure;

/// How often a request is sent.
const ATTEMPTS: u32 = 4;

/// The longest pause before the second attempt; it doubles.
const PAUSE: Duration = Duration::from_millis(25);

/// The attempts of one request: `loop { match attempt { Err(failure) => attempts.after(failure)…`.
pub(crate) struct Attempts {
    left: u32,
    longest_pause: Duration,
    may_pass: fn(&Failure) -> bool,
}

impl Attempts {
    /// A read is sent again after any failure that may pass.
    pub(crate) const fn of_read() -> Self {
        Self::new(|failure| !matches!(failure, Failure::Permanent(_)))
    }

    /// A conditional write is sent again only if it was not applied for certain.
    ///
    /// After a lost answer the write may have been applied. The same condition would then fail,
    /// and the caller would treat the value as changed: a new session would seem to be taken.
    pub(crate) const fn of_write() -> Self {
        Self::new(|failure| matches!(failure, Failure::Throttled(_)))
    }

    const fn new(may_pass: fn(&Failure) -> bool) -> Self {
        Self {
            left: ATTEMPTS,
            longest_pause: PAUSE,
            may_pass,
        }
    }

    /// Waits before the next attempt, or returns the error if there is none.
    pub(crate) async fn after(&mut self, failure: Failure) -> Result<(), StoreError> {
        self.left -= 1;
        if self.left == 0 || !(self.may_pass)(&failure) {
            return Err(failure.into());
        }
        // Random, so that clients that were refused together do not meet again.
        tokio::time::sleep(self.longest_pause.mul_f32(fastrand::f32())).await;
        self.longest_pause *= 2;
        Ok(())
    }
}
