//! Logs failures once for each change of state, never once for each call.
//!
//! Written by hand, because a filter of log lines cannot count calls and sees no change of state.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::store::error::{StoreError, StoreErrorKind};

/// The shortest time between two lines of the same state, so that a store that fails and recovers
/// all the time does not fill the log. A failure that was not seen for this time is a new one.
const QUIET: Duration = Duration::from_secs(10);
/// The time after which a failure that lasts is logged again.
const REMINDER: Duration = Duration::from_secs(60);

/// Writes one line when calls begin to fail and one when they succeed again. Each line has the
/// number of failed calls that no line has reported.
#[derive(Debug, Default)]
pub(super) struct LogThrottle {
    /// Whether there is an outage to recover from: all that a successful call reads.
    in_outage: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    failures: Vec<Failure>,
    recovered_at: Option<Instant>,
}

/// A kind of failure that was logged.
#[derive(Debug)]
struct Failure {
    kind: StoreErrorKind,
    /// Whether no call has succeeded since it was logged.
    lasts: bool,
    logged_at: Instant,
    seen_at: Instant,
    unreported: u64,
}

impl LogThrottle {
    /// Records a failed call.
    pub(super) fn failed(&self, error: &StoreError) {
        if is_outage(error.kind()) {
            self.in_outage.store(true, Ordering::Relaxed);
        }
        if let Some(failed) = self.with(|state| state.fail(error.kind(), Instant::now())) {
            tracing::warn!(kind = error.kind().as_str(), failed, "{error}");
        }
    }

    /// Records a successful call.
    pub(super) fn succeeded(&self) {
        // Read before it is written: all calls share this cache line.
        if self.in_outage.load(Ordering::Relaxed)
            && self.in_outage.swap(false, Ordering::Relaxed)
            && let Some(failed) = self.with(|state| state.recover(Instant::now()))
        {
            tracing::info!(failed, "the session store answers again");
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.state.lock().unwrap_or_else(|e| e.into_inner()))
    }
}

impl State {
    /// Returns how many failed calls to report, this one included, if a line is due.
    fn fail(&mut self, kind: StoreErrorKind, now: Instant) -> Option<u64> {
        let Some(known) = self.failures.iter_mut().find(|known| known.kind == kind) else {
            self.failures.push(Failure {
                kind,
                lasts: true,
                logged_at: now,
                seen_at: now,
                unreported: 0,
            });
            return Some(1);
        };
        let lasts = known.lasts && now.duration_since(known.seen_at) < QUIET;
        let pause = if lasts { REMINDER } else { QUIET };
        known.seen_at = now;
        known.unreported += 1;
        if now.duration_since(known.logged_at) < pause {
            return None;
        }
        (known.lasts, known.logged_at) = (true, now);
        Some(std::mem::take(&mut known.unreported))
    }

    /// Returns how many failed calls to report, if a line is due.
    fn recover(&mut self, now: Instant) -> Option<u64> {
        let outages = || self.failures.iter().filter(|known| is_outage(known.kind));
        let was_logged = outages().any(|known| known.lasts);
        let is_quiet = |at| now.duration_since(at) < QUIET;
        let due = was_logged && !self.recovered_at.is_some_and(is_quiet);
        let mut failed = 0;
        for known in &mut self.failures {
            if is_outage(known.kind) {
                known.lasts = false;
                if due {
                    failed += std::mem::take(&mut known.unreported);
                }
            }
        }
        if due {
            self.recovered_at = Some(now);
        }
        due.then_some(failed)
    }
}

/// Whether no call succeeds while others fail with `kind`.
const fn is_outage(kind: StoreErrorKind) -> bool {
    matches!(
        kind,
        StoreErrorKind::Timeout
            | StoreErrorKind::Connection
            | StoreErrorKind::Auth
            | StoreErrorKind::Loading
            | StoreErrorKind::Busy
            | StoreErrorKind::Protocol
    )
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{QUIET, REMINDER, State};
    use crate::store::error::StoreErrorKind::{Connection, Full, Timeout};

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn an_outage_is_one_line_and_its_end_another_with_the_count() {
        let (mut state, start) = (State::default(), Instant::now());
        assert_eq!(state.fail(Connection, start), Some(1));
        for second in 1..60 {
            assert_eq!(state.fail(Connection, start + second * SECOND), None);
        }
        assert_eq!(state.recover(start + REMINDER), Some(59));
        assert_eq!(state.recover(start + REMINDER), None);
    }

    #[test]
    fn an_outage_that_lasts_is_logged_again_with_the_count() {
        let (mut state, start) = (State::default(), Instant::now());
        let lines: Vec<u64> = (0..=120)
            .filter_map(|second| state.fail(Timeout, start + second * SECOND))
            .collect();
        assert_eq!(lines, [1, 60, 60]);
    }

    #[test]
    fn failures_that_take_turns_are_one_line_each() {
        let (mut state, now) = (State::default(), Instant::now());
        let kinds = [Full, Timeout].repeat(1000);
        let lines = kinds.iter().filter_map(|kind| state.fail(*kind, now));
        assert_eq!(lines.count(), 2);
    }

    #[test]
    fn a_store_that_fails_and_recovers_all_the_time_does_not_fill_the_log() {
        let (mut state, start) = (State::default(), Instant::now());
        let (mut failed, mut recovered) = (0, 0);
        for step in 0..3000 {
            let now = start + step * SECOND / 100;
            failed += state.fail(Timeout, now).unwrap_or(0);
            recovered += u64::from(state.recover(now).is_some());
        }
        assert!((3..=4).contains(&recovered), "{recovered}");
        assert!(failed > 1900, "{failed}");
    }

    #[test]
    fn a_failure_that_comes_back_after_a_pause_is_new() {
        let (mut state, start) = (State::default(), Instant::now());
        assert_eq!(state.fail(Full, start), Some(1));
        assert_eq!(state.fail(Full, start + SECOND), None);
        assert_eq!(state.fail(Full, start + SECOND + QUIET), Some(2));
    }
}
