//! Outages made on purpose.

use std::time::Duration;

use super::store::MemoryStore;
use crate::store::error::StoreErrorKind;

/// The deadline after which a call that hangs answers [`StoreErrorKind::Timeout`].
const DEADLINE: Duration = Duration::from_secs(1);

/// What is to go wrong.
pub(super) struct Faults {
    lasting: Option<StoreErrorKind>,
    passing: Option<(StoreErrorKind, usize)>,
    lost_replies: usize,
    delay: Duration,
    deadline: Duration,
}

/// What becomes of one call.
pub(super) struct Verdict {
    pub(super) wait: Duration,
    pub(super) fate: Fate,
}

pub(super) enum Fate {
    Answer,
    Refuse(StoreErrorKind),
    ApplyUnanswered,
}

impl Faults {
    pub(super) const fn none() -> Self {
        Self {
            lasting: None,
            passing: None,
            lost_replies: 0,
            delay: Duration::ZERO,
            deadline: DEADLINE,
        }
    }

    pub(super) fn is_none(&self) -> bool {
        self.lasting.is_none()
            && self.passing.is_none()
            && self.lost_replies == 0
            && self.delay.is_zero()
    }

    /// Decides on one call, which counts.
    pub(super) fn judge(&mut self, writes: bool) -> Verdict {
        if self.delay >= self.deadline {
            return Verdict {
                wait: self.deadline,
                fate: Fate::Refuse(StoreErrorKind::Timeout),
            };
        }
        Verdict {
            wait: self.delay,
            fate: self.fate(writes),
        }
    }

    fn fate(&mut self, writes: bool) -> Fate {
        if let Some((kind, left)) = self.passing {
            self.passing = (left > 1).then_some((kind, left - 1));
            return Fate::Refuse(kind);
        }
        if let Some(kind) = self.lasting {
            return Fate::Refuse(kind);
        }
        if writes && self.lost_replies > 0 {
            self.lost_replies -= 1;
            return Fate::ApplyUnanswered;
        }
        Fate::Answer
    }
}

/// # Outages made on purpose
///
/// A test of a handler can take the store away and give it back. All clones of a store share its
/// faults; what is refused is not applied.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::store::{Command, Reply, Store, StoreError, StoreErrorKind};
///
/// // What is tested: it must not take an outage for "nobody is logged in".
/// async fn status(store: &dyn Store) -> u16 {
///     match store.run(&[Command::Load { key: "session" }]).await.as_deref() {
///         Ok([Reply::Record(Some(_))]) => 200,
///         Ok(_) => 401,
///         Err(_) => 503,
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let store = MemoryStore::new();
/// let ttl = Duration::from_secs(60);
/// store.run(&[Command::Insert { key: "session", value: b"{}", ttl }]).await?;
/// assert_eq!(status(&store).await, 200);
///
/// store.fail_with(StoreErrorKind::Connection);
/// assert_eq!(status(&store).await, 503);
///
/// store.heal();
/// assert_eq!(status(&store).await, 200);
/// # Ok(())
/// # }
/// ```
impl MemoryStore {
    /// Refuses every call with `kind` until [`heal`](Self::heal).
    pub fn fail_with(&self, kind: StoreErrorKind) {
        self.faults(|faults| faults.lasting = Some(kind));
    }

    /// Refuses the next `calls` calls with `kind`, each however many commands it has.
    pub fn fail_next(&self, kind: StoreErrorKind, calls: usize) {
        self.faults(|faults| faults.passing = (calls > 0).then_some((kind, calls)));
    }

    /// Answers every call only after `delay`, until [`heal`](Self::heal).
    ///
    /// A delay as long as the [deadline](Self::with_deadline) is a hang: the call is not applied
    /// and answers [`StoreErrorKind::Timeout`] when the deadline has passed.
    pub fn delay(&self, delay: Duration) {
        self.faults(|faults| faults.delay = delay);
    }

    /// Applies the next `calls` calls that write, but answers [`StoreErrorKind::Timeout`].
    ///
    /// This is the ambiguous outcome: the caller cannot know whether the write took place.
    pub fn lose_replies(&self, calls: usize) {
        self.faults(|faults| faults.lost_replies = calls);
    }

    /// Ends all faults. A call that hangs already hangs on until its deadline.
    pub fn heal(&self) {
        self.faults(|faults| {
            *faults = Faults {
                deadline: faults.deadline,
                ..Faults::none()
            }
        });
    }

    /// Sets after how long a call that is [delayed](Self::delay) answers
    /// [`StoreErrorKind::Timeout`]. Defaults to 1 second, as in Redis.
    #[must_use]
    pub fn with_deadline(self, deadline: Duration) -> Self {
        self.faults(|faults| faults.deadline = deadline);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::legacy::{Command, Reply, Store};

    const INSERT: Command<'static> = Command::Insert {
        key: "key",
        value: b"{}",
        ttl: Duration::from_secs(60),
    };
    const LOAD: Command<'static> = Command::Load { key: "key" };

    async fn kind(store: &MemoryStore, command: Command<'_>) -> Option<StoreErrorKind> {
        store.run(&[command]).await.err().map(|error| error.kind())
    }

    #[tokio::test]
    async fn a_passing_fault_counts_calls_and_a_lasting_one_does_not() {
        let store = MemoryStore::new();
        store.fail_with(StoreErrorKind::Auth);
        store.fail_next(StoreErrorKind::Busy, 2);
        for expected in [
            StoreErrorKind::Busy,
            StoreErrorKind::Busy,
            StoreErrorKind::Auth,
        ] {
            assert_eq!(kind(&store, INSERT).await, Some(expected));
        }
        store.heal();
        assert!(store.is_empty());
        assert_eq!(kind(&store, INSERT).await, None);
    }

    #[tokio::test]
    async fn a_lost_reply_belongs_to_a_write_that_took_place() {
        let store = MemoryStore::new();
        store.lose_replies(1);
        assert_eq!(kind(&store, LOAD).await, None);
        assert_eq!(kind(&store, INSERT).await, Some(StoreErrorKind::Timeout));
        let again = store.run(&[INSERT]).await;
        assert_eq!(again, Ok(vec![Reply::Applied(false)]));
    }

    #[tokio::test(start_paused = true)]
    async fn a_delay_past_the_deadline_is_a_timeout_and_applies_nothing() {
        let store = MemoryStore::new();
        store.delay(Duration::from_millis(300));
        let start = tokio::time::Instant::now();
        assert_eq!(kind(&store, LOAD).await, None);
        assert!(start.elapsed() >= Duration::from_millis(300));
        store.delay(Duration::from_secs(3600));
        let start = tokio::time::Instant::now();
        assert_eq!(kind(&store, INSERT).await, Some(StoreErrorKind::Timeout));
        assert!(start.elapsed() < Duration::from_secs(2));
        store.heal();
        assert!(store.is_empty());
    }
}
