//! The store contract on compare-and-swap.

use std::time::Duration;

use async_trait::async_trait;

use super::backend::CasBackend;
use super::encoding;
use crate::retries::Retries;
use crate::store::contract::Store;
use crate::store::error::{Result, StoreErrorKind};
use crate::store::index_entries::IndexEntries;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};

/// How often a change is attempted while concurrent changes of the same key win.
const ATTEMPTS: u32 = 256;

/// How long one call may take, with all its attempts.
const DEADLINE: Duration = Duration::from_secs(5);

/// Store on a database that can compare and swap.
///
/// A record is stored under its key as it is. An index is one value, a text, under the key of the
/// index. Most calls are one or two calls of the backend: `insert` and an uncontended
/// `compare_and_set` take one; `set_ttl_if`, `delete` and changes of an index take two, because
/// they read the value first. Note that `set_ttl_if` writes the whole value again.
///
/// A change that meets a concurrent change of the same key is repeated, with random pauses. After
/// 256 attempts it fails with [`StoreErrorKind::Contention`], and every call fails with
/// [`StoreErrorKind::Timeout`] after 5 seconds. A key that holds another kind of data, for
/// example an index where a record should be, is left alone and answered with
/// [`StoreErrorKind::WrongType`].
///
/// See the [guide](crate::guide::writing_a_store) for a complete example.
#[derive(Clone, Debug)]
pub struct CasStore<B> {
    backend: B,
}

impl<B: CasBackend> CasStore<B> {
    /// Creates a store on `backend`.
    pub const fn new(backend: B) -> Self {
        Self { backend }
    }

    /// Returns the value under `key` if it is a record.
    async fn record(&self, key: &str) -> Result<Option<StoredRecord>> {
        match self.backend.get(key).await? {
            Some(held) if encoding::is_index(&held.value) => Err(StoreErrorKind::WrongType.into()),
            held => Ok(held),
        }
    }

    /// Replaces the record by what `new` returns for it, if its value starts with `prefix`. Leaves a
    /// redirect alone, as if it were absent.
    async fn replace_record(
        &self,
        key: &str,
        prefix: &[u8],
        new: impl Fn(&StoredRecord) -> Option<(&[u8], Duration)>,
    ) -> Result<CompareOutcome> {
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            let held = self.record(key).await?;
            let Some(held) = held.filter(|held| !held.is_redirect()) else {
                return Ok(CompareOutcome::Missing);
            };
            if !held.value.starts_with(prefix) {
                return Ok(CompareOutcome::Mismatch(held.value));
            }
            let new = new(&held);
            if self.backend.swap(key, Some(&held.value), new).await? {
                return Ok(CompareOutcome::Applied);
            }
        }
        Err(StoreErrorKind::Contention.into())
    }

    /// Replaces or deletes the record if it holds `expected`.
    async fn compare_and_swap(
        &self,
        key: &str,
        expected: &[u8],
        new: Option<(&[u8], Duration)>,
    ) -> Result<CompareOutcome> {
        reject_index(expected)?;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            if self.backend.swap(key, Some(expected), new).await? {
                return Ok(CompareOutcome::Applied);
            }
            match self.record(key).await? {
                None => return Ok(CompareOutcome::Missing),
                // The expected value was written between the two calls.
                Some(held) if held.value == expected => {}
                Some(held) => return Ok(CompareOutcome::Mismatch(held.value)),
            }
        }
        Err(StoreErrorKind::Contention.into())
    }

    async fn index(&self, index: &str) -> Result<IndexEntries> {
        entries(self.backend.get(index).await?.as_ref())
    }

    /// Changes an index. Its TTL becomes at least `ttl` and is never shortened.
    async fn change_index<T>(
        &self,
        index: &str,
        ttl: Duration,
        change: impl Fn(&mut IndexEntries) -> T,
    ) -> Result<T> {
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
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
        }
        Err(StoreErrorKind::Contention.into())
    }
}

async fn in_time<T>(call: impl Future<Output = Result<T>>) -> Result<T> {
    let answer = tokio::time::timeout(DEADLINE, call).await;
    answer.map_err(|_| StoreErrorKind::Timeout)?
}

fn entries(held: Option<&StoredRecord>) -> Result<IndexEntries> {
    let Some(held) = held else {
        return Ok(IndexEntries::default());
    };
    encoding::decode(&held.value).ok_or_else(|| StoreErrorKind::WrongType.into())
}

/// Rejects a record that would be read as an index.
fn reject_index(value: &[u8]) -> Result<()> {
    if encoding::is_index(value) {
        return Err(StoreErrorKind::WrongType.into());
    }
    Ok(())
}

#[async_trait]
impl<B: CasBackend> Store for CasStore<B> {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>> {
        in_time(self.record(key)).await
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool> {
        reject_index(record.value)?;
        let new = Some((record.value, record.ttl));
        in_time(self.backend.swap(record.key, None, new)).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        reject_index(record.value)?;
        let new = Some((record.value, record.ttl));
        in_time(self.compare_and_swap(record.key, expected, new)).await
    }

    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome> {
        in_time(self.compare_and_swap(key, expected, None)).await
    }

    async fn set_ttl_if(&self, key: &str, prefix: &[u8], ttl: Duration) -> Result<CompareOutcome> {
        in_time(self.replace_record(key, prefix, |held| Some((&held.value, ttl)))).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let deleted = in_time(self.replace_record(key, b"", |_| None)).await?;
        Ok(deleted == CompareOutcome::Applied)
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        let put = |entries: &mut IndexEntries| entries.put(entry.member, entry.check_after, mode);
        in_time(self.change_index(entry.index, entry.ttl, put)).await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>> {
        Ok(in_time(self.index(index)).await?.get(member))
    }

    async fn index_list(&self, index: &str, due: Option<Due>) -> Result<Vec<IndexEntry>> {
        Ok(in_time(self.index(index)).await?.list(due))
    }

    async fn index_page(&self, index: &str, page: IndexPage<'_>) -> Result<Vec<IndexEntry>> {
        Ok(in_time(self.index(index)).await?.page(page))
    }

    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()> {
        let remove = |entries: &mut IndexEntries| entries.remove(members, due_by);
        in_time(self.change_index(index, Duration::ZERO, remove)).await
    }

    async fn index_tombstone_all(&self, index: &str, keep: Option<&str>, now: i64) -> Result<()> {
        let tombstone = |entries: &mut IndexEntries| entries.tombstone_all(keep, now);
        in_time(self.change_index(index, Duration::ZERO, tombstone)).await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome> {
        let supersede = |entries: &mut IndexEntries| entries.supersede(old, new, now);
        in_time(self.change_index(index, Duration::ZERO, supersede)).await
    }

    async fn ping(&self) -> Result<()> {
        in_time(self.backend.ping()).await
    }
}
