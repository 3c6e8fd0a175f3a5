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
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, NewEntry, NewRecord, PutMode, ScanPage,
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
    pub(super) contents: Arc<Mutex<Contents>>,
    watches: RecordWatches,
}

impl MemoryStore {
    /// Creates an empty store that uses the clock of the operating system.
    #[must_use]
    pub fn new() -> Self {
        let contents = Contents::new(Arc::new(SystemClock), MAX_RECORDS);
        Self {
            contents: Arc::new(Mutex::new(contents)),
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
        self.lock().max_records = max_records;
        self
    }

    /// Returns the number of records that have not expired. Takes time proportional to the number
    /// of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.contents().len()
    }

    /// Returns whether every record has expired or was deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes all records and indexes, as when Redis is flushed or restarted without a copy.
    pub fn clear(&self) {
        let mut contents = self.lock();
        *contents = Contents::new(contents.clock.clone(), contents.max_records);
        drop(contents);
        self.watches.notify_all();
    }

    /// Hashes the contents with their remaining TTLs. Equal for equal contents within one build
    /// of the program.
    #[cfg(any(test, feature = "test-util"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        self.contents().fingerprint(hasher);
    }

    /// Replaces the contents by a copy of those of `other`.
    #[cfg(any(test, feature = "test-util"))]
    #[cfg_attr(docsrs, doc(cfg(feature = "test-util")))]
    pub fn copy_from(&self, other: &Self) {
        let mut copy = other.lock().clone();
        let mut contents = self.lock();
        copy.clock = contents.clock.clone();
        *contents = copy;
        drop(contents);
        self.watches.notify_all();
    }

    /// Locks the contents and sets their time.
    fn contents(&self) -> MutexGuard<'_, Contents> {
        // The clock runs under the lock, so that time never goes backwards from step to step. If
        // it panics, no step is half done and the store can be used further.
        let mut contents = self.lock();
        contents.now = unix_millis(contents.clock.now());
        contents
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        let contents = self.contents.lock();
        contents.unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the record by `new`, or deletes it, if it holds `expected`.
    fn compare_and_swap(
        &self,
        key: &str,
        expected: &[u8],
        new: Option<NewRecord<'_>>,
    ) -> Result<CompareOutcome> {
        let mut contents = self.contents();
        let Some(held) = contents.record(key)? else {
            return Ok(CompareOutcome::Missing);
        };
        if held.value != expected {
            return Ok(CompareOutcome::Mismatch(held.value));
        }
        match new {
            Some(new) => contents.put_record(new),
            None => drop(contents.remove(key)),
        }
        self.watches.notify(key);
        Ok(CompareOutcome::Applied)
    }

    /// Runs a call that does not extend the TTL of the index.
    fn index<T>(&self, index: &str, call: impl FnOnce(&mut IndexEntries) -> T) -> Result<T> {
        self.contents().index(index, Duration::ZERO, call)
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
        self.contents().record(key)
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool> {
        let mut contents = self.contents();
        if contents.record(record.key)?.is_some() {
            return Ok(false);
        }
        contents.ensure_capacity(1, 0)?;
        contents.put_record(record);
        self.watches.notify(record.key);
        Ok(true)
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        self.compare_and_swap(record.key, expected, Some(record))
    }

    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome> {
        self.compare_and_swap(key, expected, None)
    }

    async fn set_ttl_if(&self, key: &str, prefix: &[u8], ttl: Duration) -> Result<CompareOutcome> {
        let set = self.contents().set_ttl_if(key, prefix, ttl)?;
        if set == CompareOutcome::Applied {
            self.watches.notify(key);
        }
        Ok(set)
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let mut contents = self.contents();
        let exists = contents.has_session(key)?;
        if exists {
            contents.remove(key);
            self.watches.notify(key);
        }
        Ok(exists)
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        let mut contents = self.contents();
        let entries = contents.entries(entry.index)?;
        if entries.is_none_or(|entries| entries.get(entry.member).is_none()) {
            contents.ensure_capacity(0, 1)?;
        }
        contents.index(entry.index, entry.ttl, |entries| {
            entries.put(entry.member, entry.check_after, mode);
        })
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>> {
        let contents = self.contents();
        let entries = contents.entries(index)?;
        Ok(entries.and_then(|entries| entries.get(member)))
    }

    async fn index_list(&self, index: &str, due: Option<Due>) -> Result<Vec<IndexEntry>> {
        let contents = self.contents();
        let entries = contents.entries(index)?;
        Ok(entries.map_or_else(Vec::new, |entries| entries.list(due)))
    }

    async fn index_page(&self, index: &str, page: IndexPage<'_>) -> Result<Vec<IndexEntry>> {
        let contents = self.contents();
        let entries = contents.entries(index)?;
        Ok(entries.map_or_else(Vec::new, |entries| entries.page(page)))
    }

    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()> {
        self.index(index, |entries| entries.remove(members, due_by))
    }

    async fn index_tombstone_all(&self, index: &str, keep: Option<&str>, now: i64) -> Result<()> {
        self.index(index, |entries| entries.tombstone_all(keep, now))
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome> {
        self.index(index, |entries| entries.supersede(old, new, now))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ScanPage> {
        let keys = self.contents().scan(prefix, after, limit);
        let next = keys.last().filter(|_| keys.len() == limit).cloned();
        Ok(ScanPage::new(keys, next))
    }

    fn watch(&self, key: &str) -> Option<RecordWatch> {
        Some(self.watches.watch(key))
    }
}
