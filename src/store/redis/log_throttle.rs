//! Log lines about failed calls.
//!
//! A filter of log lines cannot replace this: it cannot count calls, and sees no change of state.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::store::error::{StoreError, StoreErrorKind};

/// The shortest time between two lines of the same state, so that a store that fails and recovers
/// all the time does not fill the log.
const QUIET: Duration = Duration::from_secs(10);
/// The time after which a failure that lasts is logged again.
const REMINDER: Duration = Duration::from_secs(60);

/// Writes one line when calls begin to fail and one when they succeed again. Each line has the
/// number of failed calls that no line has reported.
#[derive(Default)]
pub(super) struct LogThrottle {
    /// Whether there is an outage to recover from: all that a successful call reads.
    in_outage: AtomicBool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    failures: Vec<Failure>,
    recovered_at: Option<Instant>,
}

/// A kind of failure that was logged.
struct Failure {
    kind: StoreErrorKind,
    logged_at: Instant,
    /// The time until the next line: [`QUIET`] after a recovery, or else [`REMINDER`].
    pause: Duration,
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
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl State {
    /// Returns how many failed calls to report, this one included, if a line is due.
    fn fail(&mut self, kind: StoreErrorKind, now: Instant) -> Option<u64> {
        let Some(known) = self.failures.iter_mut().find(|known| known.kind == kind) else {
            self.failures.push(Failure {
                kind,
                logged_at: now,
                pause: REMINDER,
                unreported: 0,
            });
            return Some(1);
        };
        known.unreported += 1;
        if now.duration_since(known.logged_at) < known.pause {
            return None;
        }
        (known.logged_at, known.pause) = (now, REMINDER);
        Some(std::mem::take(&mut known.unreported))
    }

    /// Returns how many failed calls to report, if a line is due.
    fn recover(&mut self, now: Instant) -> Option<u64> {
        let mut outages = self
            .failures
            .iter_mut()
            .filter(|known| is_outage(known.kind));
        let was_logged = outages.any(|known| known.pause == REMINDER);
        let is_quiet = |at| now.duration_since(at) < QUIET;
        let is_due = was_logged && !self.recovered_at.is_some_and(is_quiet);
        let mut failed = 0;
        for known in &mut self.failures {
            if is_outage(known.kind) {
                known.pause = QUIET;
                if is_due {
                    failed += std::mem::take(&mut known.unreported);
                }
            }
        }
        is_due.then(|| {
            self.recovered_at = Some(now);
            failed
        })
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

    use super::State;
    use crate::store::error::StoreErrorKind::{self, Full, Timeout};

    /// A second, and the kind of a call that failed in it, or `None` for one that succeeded.
    type Call = (u32, Option<StoreErrorKind>);

    /// Returns the lines of the log: the second, and the number of failed calls.
    fn lines(calls: impl IntoIterator<Item = Call>) -> Vec<(u32, u64)> {
        let (mut state, start) = (State::default(), Instant::now());
        let line = |(second, failure): Call| {
            let now = start + second * Duration::from_secs(1);
            let failed = match failure {
                Some(kind) => state.fail(kind, now),
                None => state.recover(now),
            };
            Some((second, failed?))
        };
        calls.into_iter().filter_map(line).collect()
    }

    #[test]
    fn each_change_is_one_line_with_the_count() {
        let (down, up) = (Some(Timeout), None);
        let lasting = |kind| Vec::from_iter((0..=120).map(|second| (second, Some(kind))));
        let outage = (0..60).map(|second| (second, down));
        let outage = outage.chain([(60, up), (60, up)]).collect();
        let kinds = [(0, Some(Full)), (0, down)].repeat(1000);
        let first = vec![(0, down), (1, up), (2, down), (3, up), (4, down)];
        let second = [(5, down), (11, down), (12, down), (13, up), (14, up)];
        for (name, calls, expected) in [
            ("an outage", outage, &[(0, 1), (60, 59)][..]),
            ("no end", lasting(Timeout), &[(0, 1), (60, 60), (120, 60)]),
            ("some fail", lasting(Full), &[(0, 1), (60, 60), (120, 60)]),
            ("two kinds", kinds, &[(0, 1), (0, 1)]),
            (
                "two outages",
                [first, second.to_vec()].concat(),
                &[(0, 1), (1, 0), (11, 4), (13, 1)],
            ),
        ] {
            assert_eq!(lines(calls), expected, "{name}");
        }
    }

    #[test]
    fn a_store_that_fails_and_recovers_all_the_time_does_not_fill_the_log() {
        let calls = (0..30).flat_map(|second| [(second, Some(Timeout)), (second, None)]);
        assert_eq!(lines(calls).len(), 6, "two lines every ten seconds");
    }
}
