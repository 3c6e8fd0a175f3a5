//! When an item expires.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// A time in Unix milliseconds, by the clock of this process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct UnixMillis(pub(crate) u64);

impl UnixMillis {
    pub(crate) fn now() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        Self(whole_millis(now.unwrap_or_default()))
    }

    /// Returns the time after `ttl`, or the last one that there is.
    pub(crate) fn after(self, ttl: Duration) -> Self {
        Self(self.0.saturating_add(whole_millis(ttl)))
    }

    /// Returns what is left at `now`, or `None` if the time has come.
    pub(crate) fn left(self, now: Self) -> Option<Duration> {
        (self > now).then(|| Duration::from_millis(self.0 - now.0))
    }

    /// Returns the time in seconds, rounded up: DynamoDB must not delete an item early.
    pub(crate) const fn seconds(self) -> u64 {
        self.0.div_ceil(1000)
    }
}

fn whole_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_and_limited_so_that_nothing_expires_early() {
        let now = UnixMillis(1_000);
        for (ttl, expires, seconds) in [
            (Duration::from_millis(1), 1_001, 2),
            (Duration::from_secs(1), 2_000, 2),
            (Duration::MAX, u64::MAX, u64::MAX / 1000 + 1),
        ] {
            let at = now.after(ttl);
            assert_eq!((at.0, at.seconds()), (expires, seconds), "{ttl:?}");
        }
    }

    #[test]
    fn nothing_is_left_when_the_time_has_come() {
        let at = UnixMillis(5);
        let left = |now| at.left(UnixMillis(now));
        assert_eq!(left(4), Some(Duration::from_millis(1)));
        assert_eq!((left(5), left(6)), (None, None));
    }
}
