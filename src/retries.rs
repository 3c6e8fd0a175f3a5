//! Retry limit and back-off of operations that lose races.

use std::time::Duration;

/// Attempts that follow each other without a pause.
const IMMEDIATE: u32 = 3;

/// Attempts of one operation, with a random pause before the later ones.
///
/// Every operation has the same loop: `while retries.next().await { attempt }`, followed by an
/// error.
pub(crate) struct Retries {
    attempt: u32,
    limit: u32,
    immediate: u32,
    skip_pause: bool,
}

impl Retries {
    /// Creates a limit of `limit` attempts. The first three follow each other without a pause.
    pub(crate) const fn new(limit: u32) -> Self {
        Self {
            attempt: 0,
            limit,
            immediate: IMMEDIATE,
            skip_pause: false,
        }
    }

    /// Creates a limit of `limit` attempts with a pause before each but the first.
    pub(crate) const fn with_pauses(limit: u32) -> Self {
        Self {
            immediate: 0,
            ..Self::new(limit)
        }
    }

    /// Returns the number of attempts so far.
    pub(crate) const fn attempts(&self) -> u32 {
        self.attempt
    }

    /// Leaves out the pause before the next attempt.
    pub(crate) const fn skip_pause(&mut self) {
        self.skip_pause = true;
    }

    /// Returns whether another attempt is allowed, after the pause before it.
    pub(crate) async fn next(&mut self) -> bool {
        if self.attempt >= self.limit {
            return false;
        }
        if !std::mem::take(&mut self.skip_pause) && self.attempt > self.immediate {
            tokio::time::sleep(pause(self.attempt - self.immediate - 1)).await;
        }
        self.attempt += 1;
        true
    }
}

/// Returns a random pause of at most 1 ms, doubled up to 16 ms.
///
/// It must be random: two operations that wait for the same time meet again.
fn pause(doublings: u32) -> Duration {
    let mut random = [0];
    crate::crypto::fill_random(&mut random);
    let longest = Duration::from_millis(1 << doublings.min(4));
    longest * (u32::from(random[0]) + 1) / 256
}
