//! Times in tokens (RFC 7519 section 2, `NumericDate`).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::clock;

/// Time in Unix milliseconds. Parsing truncates smaller fractions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NumericDate(i64);

impl NumericDate {
    /// 2^53: JSON readers that use doubles hold integers exactly up to here.
    pub(super) const MAX_SECONDS: i64 = 1 << 53;

    pub(super) fn of(time: SystemTime) -> Self {
        Self(clock::unix_millis(time))
    }

    /// Parses a JSON number of seconds from 0 to 2^53; `None` for any other JSON value.
    pub(super) fn parse(json: &str) -> Option<Self> {
        if json.len() <= 16 && json.bytes().all(|byte| byte.is_ascii_digit()) {
            let seconds: i64 = json.parse().ok()?;
            return (seconds <= Self::MAX_SECONDS).then(|| Self(seconds * 1000));
        }
        let is_number = json.starts_with(|first: char| first == '-' || first.is_ascii_digit());
        let seconds: f64 = json.parse().ok().filter(|_| is_number)?;
        let in_range = (0.0..=Self::MAX_SECONDS as f64).contains(&seconds);
        // In this range the cast only truncates: the largest product, 2^53 * 1000, fits an `i64`.
        in_range.then_some(Self((seconds * 1000.0) as i64))
    }

    /// Returns the time; `None` if it is before 1970 or beyond what `SystemTime` holds.
    pub(super) fn time(self) -> Option<SystemTime> {
        UNIX_EPOCH.checked_add(Duration::from_millis(u64::try_from(self.0).ok()?))
    }

    /// Returns whole Unix seconds, rounded down.
    pub(super) fn seconds(self) -> i64 {
        self.0.div_euclid(1000)
    }

    pub(super) fn plus_millis(self, millis: i64) -> Self {
        Self(self.0.saturating_add(millis))
    }
}
