//! The contract of session stores.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;

use crate::store::error::{Result, StoreErrorKind};
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, InsertOutcome, NewEntry, NewRecord,
    PutMode, ScanPage, StoredRecord, SupersedeOutcome,
};
use crate::store::watches::RecordWatch;

/// Storage backend for sessions.
///
/// A store holds two kinds of data, under different keys:
///
/// * a *record*: bytes with a time to live (TTL);
/// * an *index*: a set of session ids, each with an [`EntryState`]. The index has one TTL.
///
/// # Implementing a store
///
/// Implement the 13 required methods. Each one reads or changes a single key and must be atomic.
/// No transactions across keys are needed: `Sessions` is correct for every interleaving of these
/// steps. Run `testing::conformance::check` (feature `test-util`) in a test of your crate.
///
/// The provided methods run several steps in a fixed order. Override one only to save round
/// trips, for example with a pipeline. An override must have the effect of the same steps in the
/// same order; other callers may run steps in between. A wrapper that forwards only the required
/// methods is correct, and it sees every step. [`watch`](Self::watch) is no step: it changes
/// nothing, and without it the end of a session is noticed later.
///
/// # Contract
///
/// * **Absence is not an error.** A record that was never written, was deleted or has expired is
///   absent. Every method reports this in its return value.
/// * **Only [`insert`](Self::insert) creates a record.** No other method may.
/// * **Redirects.** A record whose value begins with `->` is a redirect: its session has another
///   id now. [`set_ttl`](Self::set_ttl) and [`delete`](Self::delete) leave it unchanged and return
///   `false`, as if it were absent, because they are meant for the session. To all other methods
///   it is a record like any other.
/// * **Errors.** An `Err` means that the step may or may not have been applied. After an `Err`
///   from a provided method, each of its steps may have been applied, including those after the
///   one that failed.
/// * **Deadline.** Every call returns within a deadline that the store sets.
/// * **Cancellation.** If the future is dropped, the step is applied completely or not at all.
///   Later calls are not affected.
/// * **Wrong type.** If a key holds data that is not a record, record methods leave it alone and
///   return [`StoreErrorKind::WrongType`](crate::store::StoreErrorKind::WrongType), or report the
///   record as absent if records and indexes cannot collide. [`delete`](Store::delete) may delete
///   it.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[async_trait]
pub trait Store: fmt::Debug + Send + Sync + 'static {
    // Records

    /// Returns the record and its remaining TTL, or `None` if it is absent.
    ///
    /// The TTL is not changed. A store with a cache may return the record as it was a short time
    /// ago, which the store limits. [`load_many`](Self::load_many) must not.
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>>;

    /// Stores a new record and returns `true`.
    ///
    /// If a record exists, returns `false` and leaves the record and its TTL unchanged. Of
    /// several concurrent inserts exactly one returns `true`.
    async fn insert(&self, record: NewRecord<'_>) -> Result<bool>;

    /// Replaces the value and the TTL of a record if its value equals `expected`.
    ///
    /// Values are compared byte by byte. If the values differ, nothing is written and the stored
    /// value is returned in [`CompareOutcome::Mismatch`].
    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome>;

    /// Deletes a record if its value equals `expected`.
    ///
    /// If the values differ, nothing is deleted and the stored value is returned in
    /// [`CompareOutcome::Mismatch`].
    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome>;

    /// Sets the TTL of a record, longer or shorter than before, if its value starts with `prefix`.
    ///
    /// Every value starts with an empty prefix. The value is not changed. If it starts with other
    /// bytes, nothing is changed and the stored value is returned in [`CompareOutcome::Mismatch`].
    ///
    /// The prefix holds the metadata of a session, which decide its TTL: a TTL that was computed
    /// from older metadata must not replace that of the write that changed them.
    ///
    /// A [redirect](StoredRecord::is_redirect) keeps its TTL: the outcome is
    /// [`CompareOutcome::Missing`], as for an absent record.
    async fn set_ttl_if(&self, key: &str, prefix: &[u8], ttl: Duration) -> Result<CompareOutcome>;

    /// Deletes a record and returns whether it existed.
    ///
    /// Deleting an absent record is not an error. Of several concurrent deletes exactly one
    /// returns `true`. A [redirect](StoredRecord::is_redirect) is not deleted and returns `false`.
    async fn delete(&self, key: &str) -> Result<bool>;

    // Indexes

    /// Adds an entry to an index, or raises the `check_after` of an active entry.
    ///
    /// `check_after` is never lowered. The TTL of the index becomes at least `entry.ttl` and is
    /// never shortened. [`PutMode`] says which tombstones become active entries; the others are
    /// kept.
    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()>;

    /// Returns the state of one entry, or `None` if the index does not contain it.
    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>>;

    /// Returns the entries that are [`Due`], or every entry in any order if `due` is `None`.
    async fn index_list(&self, index: &str, due: Option<Due>) -> Result<Vec<IndexEntry>>;

    /// Removes `members` from an index. Unknown members and an empty list are not errors.
    ///
    /// With `due_by`, removes only active entries with `check_after <= due_by`: an entry that was
    /// put again in the meantime, and a tombstone, stay.
    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()>;

    /// Makes every entry except `keep` [`Deleting`](EntryState::Deleting).
    ///
    /// Active entries get the time `now` (Unix seconds, at least 1). Tombstones keep their time.
    /// The entry `keep` is not changed, even if it is a tombstone.
    async fn index_tombstone_all(&self, index: &str, keep: Option<&str>, now: i64) -> Result<()>;

    /// Makes `old` [`Superseded`](EntryState::Superseded) if both `old` and `new` are active.
    ///
    /// `old` is checked first. `new` may equal `old`. `now` is in Unix seconds, at least 1.
    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome>;

    // Health

    /// Returns `Ok` if the store can be reached and accepts requests.
    async fn ping(&self) -> Result<()>;

    // Provided: watches

    /// Watches a record, for callers that wait for its end.
    ///
    /// Returns `None` if the store cannot report changes: the caller then reads the record at an
    /// interval. A watch reports every change, by any process, and may report changes that were
    /// none. The end of the TTL need not be reported: the caller has its own timer.
    ///
    /// A store that can report changes keeps a [`RecordWatches`](crate::store::RecordWatches). A
    /// wrapper forwards this method if its own changes are those of the inner store.
    fn watch(&self, key: &str) -> Option<RecordWatch> {
        let _ = key;
        None
    }

    // Provided: scans

    /// Returns some of the keys of records and indexes that begin with `prefix`.
    ///
    /// `after` is [`ScanPage::next`] of the part before, or `None` for the first part. A key that
    /// exists during the whole scan is in at least one part. Others may be missing, and keys may be
    /// in several parts or no longer exist. `limit` is about the number of keys to look at.
    ///
    /// For [`Sessions::destroy_everything`](crate::Sessions::destroy_everything) only. Without it
    /// that call fails with
    /// [`StoreErrorKind::Unsupported`](crate::store::StoreErrorKind::Unsupported). A wrapper
    /// forwards it.
    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ScanPage> {
        let _ = (prefix, after, limit);
        Err(StoreErrorKind::Unsupported.into())
    }

    // Provided: pages

    /// Returns the entries of one page of an index.
    ///
    /// Override it if the store can read a page without the rest of the index.
    ///
    /// Step: [`index_list`](Self::index_list) of every entry.
    async fn index_page(&self, index: &str, page: IndexPage<'_>) -> Result<Vec<IndexEntry>> {
        let entries = self.index_list(index, None).await?;
        let entries = entries.iter();
        Ok(page.select(entries.map(|entry| (&*entry.member, entry.state.score()))))
    }

    // Provided: several steps

    /// Reads several records. The result has one item per key, in the order of `keys`.
    ///
    /// Never from a cache: steps that depend on the newest record use this also for one key. A
    /// store whose `load` may read from one must override it, and so must a wrapper of such a
    /// store.
    ///
    /// Steps: [`load`](Self::load) each key. The reads are independent of each other.
    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>> {
        let mut records = Vec::with_capacity(keys.len());
        for key in keys {
            records.push(self.load(key).await?);
        }
        Ok(records)
    }

    /// Inserts a record that is listed in an index.
    ///
    /// Steps: [`index_put`](Self::index_put) each of `entries`, [`insert`](Self::insert),
    /// [`index_get`](Self::index_get) of the last entry and, if `due` is given,
    /// [`index_list`](Self::index_list) of its index. The entries come first and are checked
    /// last: a concurrent [`index_tombstone_all`](Self::index_tombstone_all) either sees the
    /// record or makes this call return [`InsertOutcome::EntryLost`].
    async fn insert_indexed(
        &self,
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>,
    ) -> Result<InsertOutcome> {
        for entry in entries {
            self.index_put(*entry, PutMode::KeepTombstone).await?;
        }
        if !self.insert(record).await? {
            return Ok(InsertOutcome::KeyTaken);
        }
        let mut listed = Vec::new();
        if let Some(NewEntry { index, member, .. }) = entries.last() {
            let state = self.index_get(index, member).await?;
            if !matches!(state, Some(EntryState::Active { .. })) {
                return Ok(InsertOutcome::EntryLost);
            }
            if due.is_some() {
                listed = self.index_list(index, due).await?;
            }
        }
        Ok(InsertOutcome::Inserted { due: listed })
    }

    /// Refreshes an index entry, then replaces the record if its value equals `expected`.
    ///
    /// Steps: [`index_put`](Self::index_put), [`compare_and_set`](Self::compare_and_set). The
    /// index comes first so that it never expires before its record.
    async fn compare_and_set_indexed(
        &self,
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        self.index_put(entry, PutMode::KeepTombstone).await?;
        self.compare_and_set(expected, record).await
    }

    /// Sets the TTL of a record, and returns whether the record exists.
    ///
    /// Step: [`set_ttl_if`](Self::set_ttl_if) with an empty prefix.
    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool> {
        let set = self.set_ttl_if(key, b"", ttl).await?;
        Ok(set == CompareOutcome::Applied)
    }

    /// Refreshes an index entry, then sets the TTL of the record if its value starts with `prefix`.
    ///
    /// Steps: [`index_put`](Self::index_put), [`set_ttl_if`](Self::set_ttl_if).
    async fn set_ttl_indexed(
        &self,
        entry: NewEntry<'_>,
        key: &str,
        prefix: &[u8],
        ttl: Duration,
    ) -> Result<CompareOutcome> {
        self.index_put(entry, PutMode::KeepTombstone).await?;
        self.set_ttl_if(key, prefix, ttl).await
    }

    /// Deletes records, then removes `members` from an index. Returns how many records existed.
    ///
    /// Steps: [`delete`](Self::delete) each key, in any order, then, unless `members` is empty,
    /// [`index_remove`](Self::index_remove). An entry must not disappear before its record: after
    /// a crash in between, the entry still leads to the work that is left.
    async fn delete_indexed(&self, keys: &[&str], index: &str, members: &[&str]) -> Result<usize> {
        let mut deleted = 0;
        for key in keys {
            deleted += usize::from(self.delete(key).await?);
        }
        if !members.is_empty() {
            self.index_remove(index, members, None).await?;
        }
        Ok(deleted)
    }

    /// Puts the entries of sessions that still exist and removes those of sessions that do not.
    ///
    /// Steps: [`index_put`](Self::index_put) each of `live`, [`index_remove`](Self::index_remove)
    /// of `dead` with `due_by`. All of them touch the same key.
    async fn index_refresh(
        &self,
        index: &str,
        live: &[NewEntry<'_>],
        dead: &[&str],
        due_by: i64,
    ) -> Result<()> {
        for entry in live {
            self.index_put(*entry, PutMode::KeepTombstone).await?;
        }
        self.index_remove(index, dead, Some(due_by)).await
    }
}
