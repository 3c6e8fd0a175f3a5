//! The store contract on compare-and-swap.

use std::time::Duration;

use async_trait::async_trait;

use super::backend::CasBackend;
use super::encoding;
use crate::store::contract::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::index_entries::IndexEntries;
use crate::store::types::{
    CompareOutcome, EntryState, IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};

/// How often a change is attempted while concurrent changes of the same key win.
const ATTEMPTS: u32 = 256;

/// How many attempts follow each other without a pause.
const IMMEDIATE_ATTEMPTS: u32 = 3;

/// The longest pause between two attempts.
const LONGEST_PAUSE: Duration = Duration::from_millis(16);

/// The deadline of a call, unless another one is set.
const DEADLINE: Duration = Duration::from_secs(5);

/// Store on a database that can compare and swap.
///
/// A record is stored under its key as it is. An index is one value, a text, under the key of the
/// index. Most calls are one or two calls of the backend: `insert` and an uncontended
/// `compare_and_set` take one; `set_ttl`, `delete` and changes of an index take two, because they
/// read the value first. Note that `set_ttl` writes the whole value again.
///
/// A change that meets a concurrent change of the same key is repeated, with random pauses. After
/// 256 attempts it fails with [`StoreErrorKind::Contention`]. A key that holds another kind of data,
///  for example an index where a record should be, is left alone and answered with
/// [`StoreErrorKind::WrongType`].
#[derive(Clone, Debug)]
pub struct CasStore<B> {
    backend: B,
    deadline: Duration,
}

impl<B: CasBackend> CasStore<B> {
    /// Creates a store on `backend`.
    pub const fn new(backend: B) -> Self {
        Self {
            backend,
            deadline: DEADLINE,
        }
    }

    /// Sets how long one call may take, with all attempts. Defaults to 5 seconds.
    ///
    /// A call that takes longer fails with [`StoreErrorKind::Timeout`].
    #[must_use]
    pub const fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Returns the backend.
    pub const fn backend(&self) -> &B {
        &self.backend
    }

    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.deadline, call).await {
            Ok(answer) => answer,
            Err(_) => Err(StoreErrorKind::Timeout.into()),
        }
    }

    /// Returns the value under `key` if it is a record.
    async fn record(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        match self.backend.get(key).await? {
            Some(held) if encoding::is_index(&held.value) => Err(StoreErrorKind::WrongType.into()),
            held => Ok(held),
        }
    }

    /// Replaces the record by what `new` returns for it. Returns `false` if it is absent.
    async fn replace_record(
        &self,
        key: &str,
        new: impl Fn(&StoredRecord) -> Option<(&[u8], Duration)>,
    ) -> Result<bool, StoreError> {
        for attempt in 0..ATTEMPTS {
            let Some(held) = self.record(key).await? else {
                return Ok(false);
            };
            let new = new(&held);
            if self.backend.swap(key, Some(&held.value), new).await? {
                return Ok(true);
            }
            pause(attempt).await;
        }
        Err(StoreErrorKind::Contention.into())
    }

    /// Replaces or deletes the record if it holds `expected`.
    async fn compare_and_swap(
        &self,
        key: &str,
        expected: &[u8],
        new: Option<(&[u8], Duration)>,
    ) -> Result<CompareOutcome, StoreError> {
        refuse_index(expected)?;
        for attempt in 0..ATTEMPTS {
            if self.backend.swap(key, Some(expected), new).await? {
                return Ok(CompareOutcome::Applied);
            }
            match self.record(key).await? {
                None => return Ok(CompareOutcome::Missing),
                // The expected value was written between the two calls.
                Some(held) if held.value == expected => {}
                Some(held) => return Ok(CompareOutcome::Mismatch(held.value)),
            }
            pause(attempt).await;
        }
        Err(StoreErrorKind::Contention.into())
    }

    async fn read_index<T>(
        &self,
        index: &str,
        read: impl FnOnce(&IndexEntries) -> T,
    ) -> Result<T, StoreError> {
        Ok(read(&entries(self.backend.get(index).await?.as_ref())?))
    }

    /// Changes an index. Its TTL becomes at least `ttl` and is never shortened.
    async fn change_index<T>(
        &self,
        index: &str,
        ttl: Duration,
        change: impl Fn(&mut IndexEntries) -> T,
    ) -> Result<T, StoreError> {
        for attempt in 0..ATTEMPTS {
            let held = self.backend.get(index).await?;
            let before = entries(held.as_ref())?;
            let mut after = before.clone();
            let result = change(&mut after);
            let left = held.as_ref().map_or(Duration::ZERO, |held| {
                // An index that does not expire must not begin to.
                held.ttl.unwrap_or(Duration::MAX)
            });
            let is_done = after == before && (ttl <= left || after.is_empty());
            let value = encoding::encode(&after);
            // An empty index is deleted, as in Redis: nothing is left of an owner who has gone.
            let new = (!after.is_empty()).then_some((&*value, ttl.max(left)));
            let expected = held.as_ref().map(|held| &*held.value);
            if is_done || self.backend.swap(index, expected, new).await? {
                return Ok(result);
            }
            pause(attempt).await;
        }
        Err(StoreErrorKind::Contention.into())
    }
}

fn entries(held: Option<&StoredRecord>) -> Result<IndexEntries, StoreError> {
    held.map_or_else(
        || Ok(IndexEntries::default()),
        |held| encoding::decode(&held.value).ok_or_else(|| StoreErrorKind::WrongType.into()),
    )
}

/// Refuses to write, or to compare with, a record that would be read as an index.
fn refuse_index(value: &[u8]) -> Result<(), StoreError> {
    if encoding::is_index(value) {
        return Err(StoreErrorKind::WrongType.into());
    }
    Ok(())
}

/// Waits before the next attempt. The pause must be random: two calls that wait for the same time
/// meet again.
async fn pause(attempt: u32) {
    let Some(doublings) = attempt.checked_sub(IMMEDIATE_ATTEMPTS) else {
        return;
    };
    let mut random = [0];
    crate::crypto::fill_random(&mut random);
    let longest = LONGEST_PAUSE.min(Duration::from_millis(1 << doublings.min(8)));
    tokio::time::sleep(longest * u32::from(random[0]) / 255).await;
}

#[async_trait]
impl<B: CasBackend> Store for CasStore<B> {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        self.in_time(self.record(key)).await
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        refuse_index(record.value)?;
        let new = Some((record.value, record.ttl));
        self.in_time(self.backend.swap(record.key, None, new)).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        refuse_index(record.value)?;
        let new = Some((record.value, record.ttl));
        self.in_time(self.compare_and_swap(record.key, expected, new))
            .await
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        self.in_time(self.compare_and_swap(key, expected, None))
            .await
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        self.in_time(self.replace_record(key, |held| Some((&held.value, ttl))))
            .await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        self.in_time(self.replace_record(key, |_| None)).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        let put = |entries: &mut IndexEntries| entries.put(entry.member, entry.check_after, mode);
        self.in_time(self.change_index(entry.index, entry.ttl, put))
            .await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        self.in_time(self.read_index(index, |entries| entries.get(member)))
            .await
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        self.in_time(self.read_index(index, |entries| entries.list(filter)))
            .await
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        let remove = |entries: &mut IndexEntries| entries.remove(members, due_by);
        self.in_time(self.change_index(index, Duration::ZERO, remove))
            .await
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        let tombstone = |entries: &mut IndexEntries| entries.tombstone_all(keep, now);
        self.in_time(self.change_index(index, Duration::ZERO, tombstone))
            .await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        let supersede = |entries: &mut IndexEntries| entries.supersede(old, new, now);
        self.in_time(self.change_index(index, Duration::ZERO, supersede))
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.in_time(self.backend.ping()).await
    }
}
