//! Logs when the store fails and when it is available again.

use std::error::Error as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jwt_redis_session::store::{SharedStore, StoreError, StoreErrorKind};

use crate::request_context::RequestContext;

/// The interval of the probes of a store that has failed.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// The shortest time between a recovery and the next failure that is logged at `warn`, so that a
/// store that fails and recovers all the time does not fill the log.
const QUIET: Duration = Duration::from_secs(10);

/// Shared by all threads, because an outage affects all of them.
static STATE: Mutex<State> = Mutex::new(State::new());

/// Failures of the store, and which of them were logged.
struct State {
    /// The kinds of failures in this outage that were logged at `warn`.
    kinds: Vec<StoreErrorKind>,
    /// The times of the first and the last failure, until the store is available again.
    outage: Option<(Instant, Instant)>,
    /// Whether a line since the last recovery says that the store fails.
    is_reported: bool,
    /// The failures since the last line.
    failures: u64,
    /// The time of the last line.
    logged_at: Option<Instant>,
}

/// Logs a failure with the id of the request. During an outage every request fails, so only the
/// first failure of each kind is logged at `warn`, the others at `debug`.
pub(crate) fn log(cause: &StoreError) {
    let context = RequestContext::current();
    let (request_id, trace_id) = (context.request_id(), context.trace_id());
    // Of a password file, for example, that cannot be read any more.
    let source = cause.source();
    // Released before the line is written: other threads fail at the same time.
    let due = with_state(|state| state.fail(cause.kind(), Instant::now()));
    if let Some(failures) = due {
        tracing::warn!(request_id, trace_id, %cause, source, failures, "the session store failed");
    } else {
        tracing::debug!(request_id, trace_id, %cause, source, "the session store failed");
    }
}

/// Counts a failure that the caller logs at `warn`.
pub(crate) fn count(cause: &StoreError) {
    with_state(|state| state.fail(cause.kind(), Instant::now()));
}

/// Logs when the store is available again after a failure, until this future is dropped. Does not
/// contact a store that has not failed.
pub(crate) async fn report_recovery(store: impl Fn() -> SharedStore) {
    let mut interval = tokio::time::interval(PROBE_INTERVAL);
    loop {
        interval.tick().await;
        let started = Instant::now();
        if with_state(|state| state.outage.is_some())
            // A reload may have replaced it.
            && store().ping().await.is_ok()
            && let Some((failures, lasted)) = with_state(|state| state.recover(started))
        {
            let seconds = lasted.as_secs();
            tracing::info!(failures, seconds, "the session store is available again");
        }
    }
}

fn with_state<T>(change: impl FnOnce(&mut State) -> T) -> T {
    change(&mut STATE.lock().unwrap_or_else(PoisonError::into_inner))
}

impl State {
    const fn new() -> Self {
        Self {
            kinds: Vec::new(),
            outage: None,
            is_reported: false,
            failures: 0,
            logged_at: None,
        }
    }

    /// Records a failure. Returns how many to report, this one included, if a line is due.
    fn fail(&mut self, kind: StoreErrorKind, at: Instant) -> Option<u64> {
        self.failures += 1;
        let is_quiet = |logged_at| at.saturating_duration_since(logged_at) < QUIET;
        if self.outage.is_none() && !self.logged_at.is_some_and(is_quiet) {
            self.kinds.clear();
        }
        self.outage = Some((self.outage.map_or(at, |(since, _)| since), at));
        if self.kinds.contains(&kind) {
            return None;
        }
        self.kinds.push(kind);
        self.is_reported = true;
        self.logged_at = Some(at);
        Some(std::mem::take(&mut self.failures))
    }

    /// Records that the store answered a probe that started at `at`. Returns the failures since the
    /// last line and the length of the outage, if a line is due.
    fn recover(&mut self, at: Instant) -> Option<(u64, Duration)> {
        // The probe says nothing about failures after it, for example of writes only.
        let (since, _) = self.outage.filter(|(_, last)| *last < at)?;
        self.outage = None;
        if !std::mem::take(&mut self.is_reported) {
            return None;
        }
        self.logged_at = Some(at);
        Some((std::mem::take(&mut self.failures), at - since))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMEOUT: StoreErrorKind = StoreErrorKind::Timeout;
    const CONNECTION: StoreErrorKind = StoreErrorKind::Connection;

    #[test]
    fn only_changes_of_state_are_logged_with_counts() {
        let (mut state, start) = (State::new(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        assert_eq!(state.recover(at(0)), None);
        assert_eq!(state.fail(TIMEOUT, at(1)), Some(1));
        for _ in 0..3 {
            assert_eq!(state.fail(TIMEOUT, at(100)), None);
        }
        assert_eq!(state.fail(CONNECTION, at(101)), Some(4));
        assert_eq!(state.fail(CONNECTION, at(102)), None);
        // A probe that started before the last failure.
        assert_eq!(state.recover(at(102)), None);
        let lasted = Duration::from_secs(102);
        assert_eq!(state.recover(at(103)), Some((1, lasted)));
        assert_eq!(state.recover(at(104)), None);
    }

    #[test]
    fn a_store_that_fails_and_recovers_all_the_time_is_reported_every_ten_seconds() {
        let (mut state, start) = (State::new(), Instant::now());
        let (mut failures, mut recoveries) = (Vec::new(), Vec::new());
        for second in 0..25 {
            let at = start + Duration::from_secs(second);
            failures.extend(state.fail(TIMEOUT, at).map(|count| (second, count)));
            let probe = state.recover(at + Duration::from_millis(500));
            recoveries.extend(probe.map(|(count, _)| (second, count)));
        }
        assert_eq!(failures, [(0, 1), (11, 11), (22, 11)]);
        assert_eq!(recoveries, [(0, 0), (11, 0), (22, 0)]);
    }
}
