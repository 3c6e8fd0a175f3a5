//! The store itself: a lock, a clock and what they guard.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::apply::Shelves;
use super::fault::{Fate, Faults};
use crate::clock::{Clock, SystemClock, unix_millis};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Command, Reply, Store};

/// How many records a store holds unless told otherwise.
const MAX_RECORDS: usize = 100_000;

/// Keeps sessions in the memory of this process: for tests, and for one process without Redis.
///
/// Clones share what is kept. Nothing survives the process, and no other process sees it. What
/// has expired, by the [clock](Self::with_clock), is dropped as the store is used, without a
/// background task.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::store::{Command, Reply, Store, StoreError};
/// use jwt_redis_session::{ManualClock, MemoryStore};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let clock = ManualClock::at(1_700_000_000);
/// let store = MemoryStore::new().with_clock(clock.clone());
/// let ttl = Duration::from_secs(60);
/// store.run(&[Command::Insert { key: "a", value: b"{}", ttl }]).await?;
/// assert_eq!(store.len(), 1);
///
/// clock.advance(ttl);
/// assert_eq!(store.run(&[Command::Load { key: "a" }]).await?, [Reply::Record(None)]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

struct State {
    clock: Arc<dyn Clock>,
    shelves: Shelves,
    faults: Faults,
}

impl MemoryStore {
    /// Creates an empty store that follows the clock of the operating system.
    #[must_use]
    pub fn new() -> Self {
        let state = State {
            clock: Arc::new(SystemClock),
            shelves: Shelves::new(MAX_RECORDS),
            faults: Faults::none(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Follows `clock`, in all clones. Defaults to [`SystemClock`].
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.state().clock = Arc::new(clock);
        self
    }

    /// Holds at most `max_records` records and twice as many index entries, in all clones.
    ///
    /// A full store drops what has expired; if nothing has, it refuses to take more with
    /// [`StoreErrorKind::Full`]. Defaults to 100,000.
    #[must_use]
    pub fn with_capacity(self, max_records: usize) -> Self {
        self.state().shelves.set_capacity(max_records);
        self
    }

    /// Returns how many records there are that have not expired. Looks at all of them.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.state();
        state.shelves.len(state.now())
    }

    /// Tells whether there is no record that has not expired.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Drops all records and indexes, as when Redis is flushed or restarted without a copy.
    pub fn clear(&self) {
        self.state().shelves.clear();
    }

    /// Hashes everything that is kept and how long it has left; equal for equal contents, in
    /// this build of the program.
    #[cfg(any(test, feature = "test-util"))]
    pub(crate) fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        let state = self.state();
        state.shelves.fingerprint(state.now(), hasher);
    }

    pub(super) fn faults(&self, change: impl FnOnce(&mut Faults)) {
        change(&mut self.state().faults);
    }

    /// A panic while the lock was held leaves whole commands behind, and the app goes on.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run_now(&self, commands: &[Command<'_>]) -> Option<Result<Vec<Reply>, StoreError>> {
        let mut state = self.state();
        state.faults.is_none().then(|| state.apply(commands))
    }

    async fn run_faulty(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let writes = !commands.iter().all(Command::is_read);
        let verdict = self.state().faults.judge(writes);
        if !verdict.wait.is_zero() {
            tokio::time::sleep(verdict.wait).await;
        }
        match verdict.fate {
            Fate::Answer => self.state().apply(commands),
            Fate::Refuse(kind) => Err(kind.into()),
            Fate::ApplyUnanswered => {
                self.state().apply(commands)?;
                Err(StoreErrorKind::Timeout.into())
            }
        }
    }
}

impl State {
    fn now(&self) -> i64 {
        unix_millis(self.clock.now())
    }

    fn apply(&mut self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let now = self.now();
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            replies.push(self.shelves.apply(command, now)?);
        }
        Ok(replies)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        match self.run_now(commands) {
            Some(answer) => answer,
            None => self.run_faulty(commands).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::ManualClock;

    const TTL: Duration = Duration::from_secs(60);

    async fn insert(store: &MemoryStore, key: &str) -> Result<Vec<Reply>, StoreErrorKind> {
        let insert = Command::Insert {
            key,
            value: b"{}",
            ttl: TTL,
        };
        store.run(&[insert]).await.map_err(|error| error.kind())
    }

    async fn enter(store: &MemoryStore, member: &str) -> Result<Vec<Reply>, StoreErrorKind> {
        let put = Command::IndexPut {
            index: "owner",
            member,
            score: 1,
            ttl: TTL,
        };
        store.run(&[put]).await.map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn a_full_store_refuses_until_something_expires() {
        let clock = ManualClock::at(1_700_000_000);
        let store = MemoryStore::new()
            .with_clock(clock.clone())
            .with_capacity(2);
        for key in ["a", "b"] {
            assert_eq!(insert(&store, key).await, Ok(vec![Reply::Applied(true)]));
        }
        assert_eq!(insert(&store, "c").await, Err(StoreErrorKind::Full));
        assert_eq!(insert(&store, "a").await, Ok(vec![Reply::Applied(false)]));
        clock.advance(TTL);
        assert_eq!(insert(&store, "c").await, Ok(vec![Reply::Applied(true)]));
        assert_eq!(store.len(), 1);
    }

    #[tokio::test]
    async fn index_entries_are_bounded_and_known_members_still_go_in() {
        let store = MemoryStore::new().with_capacity(1);
        for member in ["a", "b", "b"] {
            assert_eq!(enter(&store, member).await, Ok(vec![Reply::Done]));
        }
        assert_eq!(enter(&store, "c").await, Err(StoreErrorKind::Full));
        let remove = Command::IndexRemove {
            index: "owner",
            members: &["a"],
        };
        store.run(&[remove]).await.unwrap();
        assert_eq!(enter(&store, "c").await, Ok(vec![Reply::Done]));
    }

    #[tokio::test]
    async fn an_index_is_foreign_to_record_commands_and_a_record_to_index_commands() {
        let store = MemoryStore::new();
        enter(&store, "a").await.unwrap();
        assert_eq!(insert(&store, "owner").await, Ok(vec![Reply::Foreign]));
        let delete = Command::Delete { key: "owner" };
        assert_eq!(store.run(&[delete]).await, Ok(vec![Reply::Foreign]));
        insert(&store, "record").await.unwrap();
        let entries = Command::IndexEntries { index: "record" };
        assert!(store.run(&[entries]).await.is_err());
    }

    #[tokio::test]
    async fn a_panic_under_the_lock_does_not_spread() {
        #[derive(Debug)]
        struct Broken;
        impl Clock for Broken {
            fn now(&self) -> std::time::SystemTime {
                panic!("on purpose")
            }
        }
        let store = MemoryStore::new().with_clock(Broken);
        let clone = store.clone();
        assert!(std::thread::spawn(move || clone.len()).join().is_err());
        let store = store.with_clock(SystemClock);
        assert!(insert(&store, "a").await.is_ok());
    }

    #[test]
    fn debug_shows_no_data() {
        assert_eq!(format!("{:?}", MemoryStore::new()), "MemoryStore { .. }");
    }
}
