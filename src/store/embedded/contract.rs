//! The store contract on a file.

use std::time::Duration;

use async_trait::async_trait;

use super::error::Step;
use super::owned::{Entry, Record, borrowed, owned};
use super::queries;
use super::store::FileStore;
use super::tables::Tables;
use crate::store::contract::Store;
use crate::store::error::Result;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, InsertOutcome, NewEntry, NewRecord,
    PutMode, ScanPage, StoredRecord, SupersedeOutcome,
};
use crate::store::watches::RecordWatch;

#[async_trait]
impl Store for FileStore {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>> {
        let records = self.load_many(&[key]).await?;
        Ok(records.into_iter().next().flatten())
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool> {
        let record = Record::from(record);
        self.write(move |tables| tables.insert(record.get())).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        let (expected, record) = (expected.to_vec(), Record::from(record));
        let swap = move |tables: &mut Tables<'_>| {
            tables.compare_and_swap(&record.key, &expected, Some(record.get()))
        };
        self.write(swap).await
    }

    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome> {
        let (key, expected) = (key.to_owned(), expected.to_vec());
        self.write(move |tables| tables.compare_and_swap(&key, &expected, None))
            .await
    }

    async fn set_ttl_if(&self, key: &str, prefix: &[u8], ttl: Duration) -> Result<CompareOutcome> {
        let (key, prefix) = (key.to_owned(), prefix.to_vec());
        self.write(move |tables| tables.set_ttl_if(&key, &prefix, ttl))
            .await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let key = key.to_owned();
        self.write(move |tables| tables.delete(&key)).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        let entry = Entry::from(entry);
        self.write(move |tables| tables.index_put(entry.get(), mode))
            .await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>> {
        let (index, member) = (index.to_owned(), member.to_owned());
        self.read(move |transaction, now| queries::entry(transaction, (&index, &member), now))
            .await
    }

    async fn index_list(&self, index: &str, due: Option<Due>) -> Result<Vec<IndexEntry>> {
        let index = index.to_owned();
        self.read(move |transaction, now| queries::list(transaction, &index, due, now))
            .await
    }

    async fn index_page(&self, index: &str, page: IndexPage<'_>) -> Result<Vec<IndexEntry>> {
        let (index, after) = (index.to_owned(), page.after.cloned());
        let (descending, limit) = (page.descending, page.limit);
        self.read(move |transaction, now| {
            let page = IndexPage {
                after: after.as_ref(),
                descending,
                limit,
            };
            queries::page(transaction, &index, page, now)
        })
        .await
    }

    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()> {
        let (index, members) = (index.to_owned(), owned(members));
        self.write(move |tables| tables.index_remove(&index, borrowed(&members), due_by))
            .await
    }

    async fn index_tombstone_all(&self, index: &str, keep: Option<&str>, now: i64) -> Result<()> {
        let (index, keep) = (index.to_owned(), keep.map(str::to_owned));
        self.write(move |tables| tables.index_tombstone_all(&index, keep.as_deref(), now))
            .await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome> {
        let (index, old, new) = (index.to_owned(), old.to_owned(), new.to_owned());
        self.write(move |tables| tables.index_supersede(&index, (&old, &new), now))
            .await
    }

    async fn ping(&self) -> Result<()> {
        self.read(|_, _| Ok(())).await
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ScanPage> {
        let (prefix, after) = (prefix.to_owned(), after.map(str::to_owned));
        self.read(move |transaction, _| {
            queries::scan(transaction, &prefix, after.as_deref(), limit)
        })
        .await
    }

    fn watch(&self, key: &str) -> Option<RecordWatch> {
        Some(self.record_watch(key))
    }

    // Several steps in one transaction wait for the disk once.

    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>> {
        let keys = owned(keys);
        self.read(move |transaction, now| queries::load(transaction, &keys, now))
            .await
    }

    async fn insert_indexed(
        &self,
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>,
    ) -> Result<InsertOutcome> {
        let entries: Vec<_> = entries.iter().copied().map(Entry::from).collect();
        let record = Record::from(record);
        self.write(move |tables| insert_indexed(tables, &entries, &record, due))
            .await
    }

    async fn compare_and_set_indexed(
        &self,
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        let (entry, expected) = (Entry::from(entry), expected.to_vec());
        let record = Record::from(record);
        self.write(move |tables| {
            tables.index_put(entry.get(), PutMode::KeepTombstone)?;
            tables.compare_and_swap(&record.key, &expected, Some(record.get()))
        })
        .await
    }

    async fn set_ttl_indexed(
        &self,
        entry: NewEntry<'_>,
        key: &str,
        prefix: &[u8],
        ttl: Duration,
    ) -> Result<CompareOutcome> {
        let (entry, key, prefix) = (Entry::from(entry), key.to_owned(), prefix.to_vec());
        self.write(move |tables| {
            tables.index_put(entry.get(), PutMode::KeepTombstone)?;
            tables.set_ttl_if(&key, &prefix, ttl)
        })
        .await
    }

    async fn delete_indexed(&self, keys: &[&str], index: &str, members: &[&str]) -> Result<usize> {
        let (keys, index, members) = (owned(keys), index.to_owned(), owned(members));
        self.write(move |tables| {
            let mut deleted = 0;
            for key in &keys {
                deleted += usize::from(tables.delete(key)?);
            }
            if !members.is_empty() {
                tables.index_remove(&index, borrowed(&members), None)?;
            }
            Ok(deleted)
        })
        .await
    }

    async fn index_refresh(
        &self,
        index: &str,
        live: &[NewEntry<'_>],
        dead: &[&str],
        due_by: i64,
    ) -> Result<()> {
        let live: Vec<_> = live.iter().copied().map(Entry::from).collect();
        let (index, dead) = (index.to_owned(), owned(dead));
        self.write(move |tables| {
            for entry in &live {
                tables.index_put(entry.get(), PutMode::KeepTombstone)?;
            }
            tables.index_remove(&index, borrowed(&dead), Some(due_by))
        })
        .await
    }
}

/// The steps of [`Store::insert_indexed`].
fn insert_indexed(
    tables: &mut Tables<'_>,
    entries: &[Entry],
    record: &Record,
    due: Option<Due>,
) -> Step<InsertOutcome> {
    for entry in entries {
        tables.index_put(entry.get(), PutMode::KeepTombstone)?;
    }
    if !tables.insert(record.get())? {
        return Ok(InsertOutcome::KeyTaken);
    }
    let mut listed = Vec::new();
    if let Some(Entry { index, member, .. }) = entries.last() {
        let state = tables.index_get(index, member)?;
        if !matches!(state, Some(EntryState::Active { .. })) {
            return Ok(InsertOutcome::EntryLost);
        }
        if due.is_some() {
            listed = tables.index_list(index, due)?;
        }
    }
    Ok(InsertOutcome::Inserted { due: listed })
}
