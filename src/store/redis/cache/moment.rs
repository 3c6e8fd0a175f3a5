//! A point in time that threads share.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::Instant;

/// The resolution in microseconds.
const STEP: u64 = 100;

/// The latest of the instants that were recorded, rounded down to 100 microseconds.
pub(in crate::store::redis) struct Moment {
    origin: Instant,
    /// Steps from `origin`, plus one; 0 before anything is recorded.
    steps: AtomicU64,
}

impl Moment {
    /// Creates a moment at which nothing is recorded. It ignores what was before now.
    pub(in crate::store::redis) fn new() -> Self {
        Self {
            origin: Instant::now(),
            steps: AtomicU64::new(0),
        }
    }

    /// Records `instant`, unless a later one is recorded.
    pub(in crate::store::redis) fn record(&self, instant: Instant) {
        let Some(since) = instant.checked_duration_since(self.origin) else {
            return;
        };
        let steps = u64::try_from(since.as_micros()).map_or(0, |micros| micros / STEP + 1);
        // Written only when it changes: all calls share this cache line. With release: a thread
        // that sees the new moment also sees the announcements that were handled before it.
        if self.steps.load(Ordering::Relaxed) < steps {
            self.steps.fetch_max(steps, Ordering::Release);
        }
    }

    /// Returns what is recorded.
    pub(in crate::store::redis) fn latest(&self) -> Option<Instant> {
        let steps = self.steps.load(Ordering::Acquire).checked_sub(1)?;
        Some(self.origin + Duration::from_micros(steps * STEP))
    }

    /// Whether the moment is less than `limit` before `now`.
    pub(in crate::store::redis) fn is_within(&self, limit: Duration, now: Instant) -> bool {
        self.latest()
            .is_some_and(|latest| now.saturating_duration_since(latest) < limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn the_latest_instant_counts_and_is_never_later_than_recorded() {
        let moment = Moment::new();
        let start = moment.origin;
        assert_eq!(moment.latest(), None);
        assert!(!moment.is_within(MS(1000), start));
        moment.record(start + Duration::from_micros(50_099));
        moment.record(start + MS(20));
        assert_eq!(moment.latest(), Some(start + MS(50)));
        assert!(moment.is_within(MS(10), start + Duration::from_micros(59_999)));
        assert!(!moment.is_within(MS(10), start + MS(60)));
        // A reader whose clock was read before.
        assert!(moment.is_within(MS(10), start));
        assert!(
            !moment.is_within(Duration::ZERO, start),
            "no bound, no cache"
        );
    }
}
