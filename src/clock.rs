//! Clocks for tokens, lifetimes and the memory store.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Source of the wall-clock time.
///
/// Tokens (`iat`, `exp`, `nbf`), absolute lifetimes and [`MemoryStore`](crate::MemoryStore)
/// follow this clock; the idle time to live of a session in Redis follows Redis' own clock.
///
/// See [`ManualClock`] for an example.
pub trait Clock: fmt::Debug + Send + Sync + 'static {
    /// Returns the current time; times before 1970 are allowed.
    fn now(&self) -> SystemTime;
}

/// Clock of the operating system.
///
/// The default; see [`ManualClock`] for another one in tests.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
}

/// Clock for tests that is moved by hand. Clones share the time.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::config::{Clock, ManualClock};
///
/// let clock = ManualClock::at(1_700_000_000);
/// let before = clock.now();
/// clock.advance(Duration::from_secs(5));
/// assert_eq!(clock.now().duration_since(before).unwrap(), Duration::from_secs(5));
/// ```
#[derive(Clone, Debug)]
pub struct ManualClock {
    millis: Arc<AtomicI64>,
}

impl ManualClock {
    /// Creates a clock that shows `unix_seconds` (seconds since 1970, may be negative).
    #[must_use]
    pub fn at(unix_seconds: i64) -> Self {
        Self {
            millis: Arc::new(AtomicI64::new(unix_seconds.saturating_mul(1000))),
        }
    }

    /// Moves the clock forward by `by`, to the millisecond.
    pub fn advance(&self, by: Duration) {
        self.millis.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// Moves the clock to `unix_seconds`, forward or backward.
    pub fn set(&self, unix_seconds: i64) {
        self.millis
            .store(unix_seconds.saturating_mul(1000), Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> SystemTime {
        from_unix_millis(self.millis.load(Ordering::SeqCst)).unwrap_or(UNIX_EPOCH)
    }
}

/// Milliseconds since 1970, negative before it, saturating.
pub(crate) fn unix_millis(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => millis(after),
        Err(before) => -millis(before.duration()),
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// The time that is `millis` after 1970, or before it if negative; `None` if the platform cannot
/// represent it.
pub(crate) fn from_unix_millis(millis: i64) -> Option<SystemTime> {
    let distance = Duration::from_millis(millis.unsigned_abs());
    match millis {
        0.. => UNIX_EPOCH.checked_add(distance),
        ..0 => UNIX_EPOCH.checked_sub(distance),
    }
}

/// As [`from_unix_millis`], in seconds.
pub(crate) fn from_unix_seconds(seconds: i64) -> Option<SystemTime> {
    from_unix_millis(seconds.checked_mul(1000)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_before_1970_are_negative_and_extremes_do_not_panic() {
        let clock = ManualClock::at(-1);
        for expected in [-1000, -500, 0] {
            assert_eq!(unix_millis(clock.now()), expected);
            clock.advance(Duration::from_millis(500));
        }
        for seconds in [i64::MIN, i64::MAX] {
            let _ = unix_millis(ManualClock::at(seconds).now());
        }
    }
}
