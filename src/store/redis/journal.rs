//! What the log hears of failures: each kind once in a while, never a storm.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::store::error::{StoreError, StoreErrorKind};

/// A kind that was logged is not logged again for so long.
const QUIET: Duration = Duration::from_secs(10);

/// Remembers what was logged when.
#[derive(Default)]
pub(super) struct Journal {
    logged: Mutex<Vec<(Option<StoreErrorKind>, Instant)>>,
}

impl Journal {
    /// Notes a failed call.
    pub(super) fn failed(&self, error: &StoreError) {
        if self.is_news(Some(error.kind())) {
            tracing::warn!(kind = error.kind().as_str(), "{error}");
        }
    }

    /// Notes that a connection stands again after failures.
    pub(super) fn recovered(&self) {
        if self.is_news(None) {
            tracing::info!("the session store is reachable again");
        }
    }

    fn is_news(&self, kind: Option<StoreErrorKind>) -> bool {
        let now = Instant::now();
        let mut logged = self.logged.lock().unwrap_or_else(|e| e.into_inner());
        if let Some((_, at)) = logged.iter_mut().find(|(known, _)| *known == kind) {
            let news = now.duration_since(*at) >= QUIET;
            if news {
                *at = now;
            }
            return news;
        }
        logged.push((kind, now));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::Journal;
    use crate::store::error::StoreErrorKind::{Full, Timeout};

    #[test]
    fn alternating_failures_are_told_once_each() {
        let journal = Journal::default();
        let told = [Full, Timeout].repeat(1000);
        let told = told.iter().filter(|kind| journal.is_news(Some(**kind)));
        assert_eq!(told.count(), 2);
    }
}
