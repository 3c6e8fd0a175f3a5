//! The memory store: a clock and the contents behind one lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::contents::Contents;
use crate::clock::{Clock, SystemClock, unix_millis};
use crate::store::contract::Store;
use crate::store::error::StoreError;
use crate::store::types::{
    CompareOutcome, EntryState, IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};

/// The default capacity.
const MAX_RECORDS: usize = 100_000;

/// Store in the memory of this process: for tests, and for one process without Redis.
///
/// Clones share the contents. Nothing survives the process, and no other process sees it.
/// Records that have expired, by the [clock](Self::with_clock), are removed as the store is used,
/// without a background task.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::store::{NewRecord, Store, StoreError};
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::config::ManualClock;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), StoreError> {
/// let clock = ManualClock::at(1_700_000_000);
/// let store = MemoryStore::new().with_clock(clock.clone());
/// let ttl = Duration::from_secs(60);
/// assert!(store.insert(NewRecord::new("a", b"{}", ttl)).await?);
/// assert_eq!(store.len(), 1);
///
/// clock.advance(ttl);
/// assert_eq!(store.load("a").await?, None);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore {
    state: Arc<Mutex<State>>,
}

struct State {
    clock: Arc<dyn Clock>,
    contents: Contents,
}

impl MemoryStore {
    /// Creates an empty store that uses the clock of the operating system.
    #[must_use]
    pub fn new() -> Self {
        let state = State {
            clock: Arc::new(SystemClock),
            contents: Contents::new(MAX_RECORDS),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Sets the clock of all clones. Defaults to [`SystemClock`].
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.state().clock = Arc::new(clock);
        self
    }

    /// Sets the capacity of all clones: at most `max_records` records and twice as many index
    /// entries.
    ///
    /// A full store removes what has expired. If nothing has, it refuses to take more with
    /// [`StoreErrorKind::Full`](crate::store::StoreErrorKind::Full). Defaults to 100,000.
    #[must_use]
    pub fn with_capacity(self, max_records: usize) -> Self {
        self.state().contents.set_capacity(max_records);
        self
    }

    /// Returns the number of records that have not expired. Takes time proportional to the number
    /// of records.
    #[must_use]
    pub fn len(&self) -> usize {
        let state = self.state();
        state.contents.len(state.now())
    }

    /// Returns whether every record has expired or was deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all records and indexes, as when Redis is flushed or restarted without a copy.
    pub fn clear(&self) {
        self.state().contents.clear();
    }

    /// Hashes the contents with their remaining TTLs. Equal for equal contents within one build
    /// of the program.
    #[cfg(any(test, feature = "test-util"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        let state = self.state();
        state.contents.fingerprint(state.now(), hasher);
    }

    /// A panic of the clock while the lock is held leaves no step half done, so the store can be
    /// used further.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn step<T>(
        &self,
        step: impl FnOnce(&mut Contents, i64) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut state = self.state();
        let now = state.now();
        step(&mut state.contents, now)
    }
}

impl State {
    fn now(&self) -> i64 {
        unix_millis(self.clock.now())
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
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        self.step(|contents, now| contents.load(key, now))
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        self.step(|contents, now| contents.insert(record, now))
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        self.step(|contents, now| contents.compare_and_set(expected, record, now))
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        self.step(|contents, now| contents.compare_and_delete(key, expected, now))
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        self.step(|contents, now| contents.set_ttl(key, ttl, now))
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        self.step(|contents, now| contents.delete(key, now))
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        self.step(|contents, now| contents.index_put(entry, mode, now))
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        self.step(|contents, now| contents.index(index, now, |entries| entries.get(member)))
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        self.step(|contents, now| contents.index(index, now, |entries| entries.list(filter)))
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        self.step(|contents, now| {
            contents.index(index, now, |entries| entries.remove(members, due_by))
        })
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.step(|contents, at| {
            contents.index(index, at, |entries| entries.tombstone_all(keep, now))
        })
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        self.step(|contents, at| {
            contents.index(index, at, |entries| entries.supersede(old, new, now))
        })
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }

    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        let load = |contents: &mut Contents, now| {
            let loaded = keys.iter().map(|key| contents.load(key, now));
            loaded.collect()
        };
        self.step(load)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::ManualClock;
    use crate::store::error::StoreErrorKind;

    const TTL: Duration = Duration::from_secs(60);

    async fn insert(store: &MemoryStore, key: &str) -> Result<bool, StoreErrorKind> {
        let record = NewRecord::new(key, b"{}", TTL);
        store.insert(record).await.map_err(|error| error.kind())
    }

    async fn put(store: &MemoryStore, member: &str) -> Result<(), StoreErrorKind> {
        let entry = NewEntry::new("owner", member, 1, TTL);
        let put = store.index_put(entry, PutMode::KeepTombstone).await;
        put.map_err(|error| error.kind())
    }

    #[tokio::test]
    async fn a_full_store_refuses_until_something_expires() {
        let clock = ManualClock::at(1_700_000_000);
        let store = MemoryStore::new()
            .with_clock(clock.clone())
            .with_capacity(2);
        for key in ["a", "b"] {
            assert_eq!(insert(&store, key).await, Ok(true));
        }
        assert_eq!(insert(&store, "c").await, Err(StoreErrorKind::Full));
        assert_eq!(insert(&store, "a").await, Ok(false));
        clock.advance(TTL);
        assert_eq!(insert(&store, "c").await, Ok(true));
        assert_eq!(store.len(), 1);
    }

    #[tokio::test]
    async fn index_entries_are_bounded_and_known_members_can_still_be_put() {
        let store = MemoryStore::new().with_capacity(1);
        for member in ["a", "b", "b"] {
            assert_eq!(put(&store, member).await, Ok(()));
        }
        assert_eq!(put(&store, "c").await, Err(StoreErrorKind::Full));
        store.index_remove("owner", &["a"], None).await.unwrap();
        assert_eq!(put(&store, "c").await, Ok(()));
    }

    #[tokio::test]
    async fn an_index_is_not_a_record_and_a_record_is_not_an_index() {
        let store = MemoryStore::new();
        put(&store, "a").await.unwrap();
        assert_eq!(
            insert(&store, "owner").await,
            Err(StoreErrorKind::WrongType)
        );
        let deleted = store.delete("owner").await.unwrap_err();
        assert_eq!(deleted.kind(), StoreErrorKind::WrongType);
        insert(&store, "record").await.unwrap();
        let listed = store.index_list("record", IndexFilter::All).await;
        assert_eq!(listed.unwrap_err().kind(), StoreErrorKind::WrongType);
        let loaded = store.load_many(&["record", "owner"]).await.unwrap_err();
        assert_eq!(loaded.kind(), StoreErrorKind::WrongType);
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
