//! The memory store: a clock and the contents behind one lock.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;

use super::contents::Contents;
use crate::clock::{Clock, SystemClock, unix_millis};
use crate::store::contract::Store;
use crate::store::error::Result;
use crate::store::index_entries::IndexEntries;
use crate::store::types::{
    CompareOutcome, EntryState, IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};
use crate::store::watches::{RecordWatch, RecordWatches};

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
    watches: RecordWatches,
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
            watches: RecordWatches::new(),
        }
    }

    /// Sets the clock of all clones. Defaults to [`SystemClock`].
    #[must_use]
    pub fn with_clock(self, clock: impl Clock) -> Self {
        self.lock().clock = Arc::new(clock);
        self
    }

    /// Sets the capacity of all clones: at most `max_records` records and twice as many index
    /// entries.
    ///
    /// A full store removes what has expired. If nothing has, it rejects new records with
    /// [`StoreErrorKind::Full`](crate::store::StoreErrorKind::Full). Defaults to 100,000.
    #[must_use]
    pub fn with_capacity(self, max_records: usize) -> Self {
        self.lock().contents.max_records = max_records;
        self
    }

    /// Returns the number of records that have not expired. Takes time proportional to the number
    /// of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.state().contents.len()
    }

    /// Returns whether every record has expired or was deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all records and indexes, as when Redis is flushed or restarted without a copy.
    pub fn clear(&self) {
        self.lock().contents.clear();
        self.watches.notify_all();
    }

    /// Hashes the contents with their remaining TTLs. Equal for equal contents within one build
    /// of the program.
    #[cfg(any(test, feature = "test-util"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        self.state().contents.fingerprint(hasher);
    }

    /// Replaces the contents by a copy of those of `other`.
    #[cfg(any(test, feature = "test-util"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn copy_from(&self, other: &Self) {
        let contents = other.lock().contents.clone();
        self.lock().contents = contents;
        self.watches.notify_all();
    }

    /// Changes the record `key` and reports that.
    fn change<T>(&self, key: &str, change: impl FnOnce(&mut Contents) -> T) -> T {
        let result = change(&mut self.state().contents);
        // After the change, so that whoever reads the record because of this sees it.
        self.watches.notify(key);
        result
    }

    /// Locks the contents and sets their time.
    fn state(&self) -> MutexGuard<'_, State> {
        // The clock runs under the lock, so that time never goes backwards from step to step. If
        // it panics, no step is half done and the store can be used further.
        let mut state = self.lock();
        state.contents.now = unix_millis(state.clock.now());
        state
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
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
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>> {
        self.state().contents.load(key)
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool> {
        self.change(record.key, |contents| contents.insert(record))
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        self.change(record.key, |contents| {
            contents.compare_and_swap(record.key, expected, Some(record))
        })
    }

    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome> {
        self.change(key, |contents| {
            contents.compare_and_swap(key, expected, None)
        })
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool> {
        self.change(key, |contents| contents.set_ttl(key, ttl))
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        self.change(key, |contents| contents.delete(key))
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        self.state().contents.index_put(entry, mode)
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>> {
        let get = |entries: &mut IndexEntries| entries.get(member);
        self.state().contents.index(index, get)
    }

    async fn index_list(&self, index: &str, filter: IndexFilter) -> Result<Vec<IndexEntry>> {
        let list = |entries: &mut IndexEntries| entries.list(filter);
        self.state().contents.index(index, list)
    }

    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()> {
        let remove = |entries: &mut IndexEntries| entries.remove(members, due_by);
        self.state().contents.index(index, remove)
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>> {
        let tombstone = |entries: &mut IndexEntries| entries.tombstone_all(keep, now);
        self.state().contents.index(index, tombstone)
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome> {
        let supersede = |entries: &mut IndexEntries| entries.supersede(old, new, now);
        self.state().contents.index(index, supersede)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    fn watch(&self, key: &str) -> Option<RecordWatch> {
        Some(self.watches.watch(key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::error::StoreErrorKind;

    const TTL: Duration = Duration::from_secs(60);

    #[tokio::test]
    async fn an_index_is_not_a_record_and_a_record_is_not_an_index() {
        let store = MemoryStore::new();
        let entry = NewEntry::new("index", "a", 1, TTL);
        let put = store.index_put(entry, PutMode::KeepTombstone).await;
        put.unwrap();
        let record = NewRecord::new("record", b"{}", TTL);
        store.insert(record).await.unwrap();
        let as_record = NewRecord::new("index", b"{}", TTL);
        for error in [
            store.insert(as_record).await.unwrap_err(),
            store.delete("index").await.unwrap_err(),
            store.load_many(&["record", "index"]).await.unwrap_err(),
            store.index_get("record", "a").await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::WrongType);
        }
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
        assert_eq!(store.load("a").await, Ok(None));
    }
}
