//! Logs failures of the store.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jwt_redis_session::store::{StoreError, StoreErrorKind};

use crate::request_id::RequestId;

/// The interval at which failures of the same kind are logged at `warn`.
const REMINDER: Duration = Duration::from_secs(10);

/// The last failure at `warn`, of any thread: an outage affects all of them.
static LAST: Mutex<Option<Logged>> = Mutex::new(None);

/// The kind and the time of a failure that was logged at `warn`, and the number of failures since
/// then, which were logged at `debug`.
struct Logged(StoreErrorKind, Instant, u64);

/// Logs a failure with the id of the request. During an outage every request fails, so only the
/// first failure of its kind in ten seconds is logged at `warn`, the others at `debug`.
pub(crate) fn log(cause: &StoreError) {
    let request_id = RequestId::current();
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let suppressed = due(&mut last, cause.kind(), Instant::now());
    // Writing the log may take a while, and other threads fail at the same time.
    drop(last);
    if let Some(suppressed) = suppressed {
        tracing::warn!(request_id, %cause, suppressed, "the session store failed");
    } else {
        tracing::debug!(request_id, %cause, "the session store failed");
    }
}

/// Returns whether to log at `warn`, and then the number of failures suppressed before.
fn due(last: &mut Option<Logged>, kind: StoreErrorKind, at: Instant) -> Option<u64> {
    if let Some(Logged(last_kind, since, suppressed)) = last
        && *last_kind == kind
        && at.duration_since(*since) < REMINDER
    {
        *suppressed += 1;
        return None;
    }
    let logged = last.replace(Logged(kind, at, 0));
    Some(logged.map_or(0, |Logged(.., suppressed)| suppressed))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_failure_per_kind_and_reminder_is_a_warning() {
        let (mut last, start) = (None, Instant::now());
        let (timeout, connection) = (StoreErrorKind::Timeout, StoreErrorKind::Connection);
        assert_eq!(due(&mut last, timeout, start), Some(0));
        for _ in 0..3 {
            assert_eq!(due(&mut last, timeout, start), None);
        }
        assert_eq!(due(&mut last, connection, start), Some(3));
        assert_eq!(due(&mut last, connection, start), None);
        assert_eq!(due(&mut last, connection, start + REMINDER), Some(1));
    }
}
