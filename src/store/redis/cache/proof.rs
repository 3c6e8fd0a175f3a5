//! Whether the announcements of a connection are complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;

use super::moment::Moment;

/// State of the announcements of changes on one connection.
pub(super) struct Proof {
    /// The number of the connection.
    pub(super) connection: u64,
    /// Whether the server announces changes: from its confirmation until the connection ends.
    is_on: AtomicBool,
    /// When the newest command that was answered was sent. Announcements and answers are one
    /// ordered stream, so all changes before that command were announced and handled.
    pub(super) answered: Moment,
    /// When the newest query was sent whose answer names the server of the connection as the master.
    named: Option<Arc<Moment>>,
}

impl Proof {
    pub(super) fn new(connection: u64, named: Option<Arc<Moment>>) -> Self {
        Self {
            connection,
            is_on: AtomicBool::new(false),
            answered: Moment::new(),
            named,
        }
    }

    pub(super) fn is_on(&self) -> bool {
        self.is_on.load(Ordering::Acquire)
    }

    pub(super) fn set_on(&self, is_on: bool) {
        self.is_on.store(is_on, Ordering::Release);
    }

    /// Whether every change was announced that is older than `max_staleness` at `now`.
    pub(super) fn covers(&self, max_staleness: Duration, now: Instant) -> bool {
        let named = self.named.as_ref();
        self.is_on()
            && self.answered.is_within(max_staleness, now)
            && named.is_none_or(|named| named.is_within(max_staleness, now))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recent_answer_and_a_recent_confirmation_are_needed() {
        const LIMIT: Duration = Duration::from_millis(100);
        let start = Instant::now();
        for has_sentinels in [false, true] {
            let named = has_sentinels.then(|| Arc::new(Moment::new()));
            let proof = Proof::new(1, named.clone());
            assert!(!proof.covers(LIMIT, start));
            proof.set_on(true);
            let sent = Instant::now();
            assert!(!proof.covers(LIMIT, sent));
            proof.answered.record(sent);
            assert_eq!(proof.covers(LIMIT, sent), !has_sentinels);
            if let Some(named) = named {
                named.record(sent);
                assert!(proof.covers(LIMIT, sent));
            }
            assert!(!proof.covers(LIMIT, sent + LIMIT));
            proof.set_on(false);
            assert!(!proof.covers(LIMIT, sent));
        }
    }
}
