//! The store contract: one request for each method.

use std::pin::Pin;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::answers::{Answers, Beginning};
use super::cache::{Lookup, Reading};
use super::request::Request;
use super::store::RedisStore;
use crate::store::contract::Store;
use crate::store::error::Result;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, InsertOutcome, NewEntry, NewRecord,
    PutMode, ScanPage, StoredRecord, SupersedeOutcome,
};
use crate::store::watches::RecordWatch;

const KEEP: PutMode = PutMode::KeepTombstone;

impl RedisStore {
    /// Reads a record, and keeps it in the cache if there is a [`Reading`].
    async fn load_uncached(
        &self,
        key: &str,
        reading: Option<Reading>,
    ) -> Result<Option<StoredRecord>> {
        // `load_many` would allocate two lists, and every request with a token runs this.
        let deadline = self.client.deadline();
        let load = Request::read().pttl(key).beginning(key);
        let loading = self.client.run_until(deadline, load, Answers::beginning);
        match loading.await? {
            Beginning::Whole(record) => {
                if let (Some(reading), Some(record)) = (reading, &record) {
                    reading.keep(key, record);
                }
                Ok(record)
            }
            Beginning::Unknown => {
                let records = Box::pin(self.load_large(deadline, &[key])).await?;
                Ok(records.into_iter().next().flatten())
            }
        }
    }

    /// Reads records whose values are large, or empty.
    async fn load_large(
        &self,
        deadline: Instant,
        keys: &[&str],
    ) -> Result<Vec<Option<StoredRecord>>> {
        let load = Request::read().expect_large();
        let load = keys.iter().fold(load, |load, key| load.pttl(key).get(key));
        let read = |answers: &mut Answers| keys.iter().map(|_| answers.record()).collect();
        self.client.run_until(deadline, load, read).await
    }
}

#[async_trait]
impl Store for RedisStore {
    // Not `async`: a hit would allocate the large future of a request.
    fn load<'store, 'key, 'future>(
        &'store self,
        key: &'key str,
    ) -> Pin<Box<dyn Future<Output = Result<Option<StoredRecord>>> + Send + 'future>>
    where
        'store: 'future,
        'key: 'future,
    {
        if !self.client.has_cache() {
            return Box::pin(self.load_uncached(key, None));
        }
        // Looked up when polled: a future that is kept for a while must not return what was hot.
        Box::pin(async move {
            match self.client.find_cached(key) {
                Lookup::Hit(record) => Ok(Some(record)),
                Lookup::Miss(reading) => Box::pin(self.load_uncached(key, reading)).await,
            }
        })
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool> {
        let insert = Request::write().insert(record);
        self.client.run(insert, Answers::flag).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        let set = Request::write().compare_and_set(expected, record);
        self.client.run(set, Answers::compared).await
    }

    async fn compare_and_delete(&self, key: &str, expected: &[u8]) -> Result<CompareOutcome> {
        let delete = Request::write().compare_and_delete(key, expected);
        self.client.run(delete, Answers::compared).await
    }

    async fn set_ttl_if(&self, key: &str, prefix: &[u8], ttl: Duration) -> Result<CompareOutcome> {
        let set = Request::write().set_ttl_if(key, prefix, ttl);
        self.client.run(set, Answers::compared).await
    }

    async fn delete(&self, key: &str) -> Result<bool> {
        let delete = Request::write().delete(key);
        self.client.run(delete, Answers::flag).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        let put = Request::write().index_put(entry, mode);
        self.client.run(put, Answers::done).await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>> {
        let get = Request::read().index_get(index, member);
        self.client.run(get, Answers::state).await
    }

    async fn index_list(&self, index: &str, due: Option<Due>) -> Result<Vec<IndexEntry>> {
        let list = Request::read().index_list(index, due);
        self.client.run(list, Answers::entries).await
    }

    async fn index_page(&self, index: &str, page: IndexPage<'_>) -> Result<Vec<IndexEntry>> {
        if page.limit == 0 {
            return Ok(Vec::new());
        }
        let read = Request::read().index_page(index, page);
        let mut entries = self.client.run(read, Answers::entries).await?;
        if page.descending {
            entries.reverse();
        }
        Ok(entries)
    }

    async fn index_remove(&self, index: &str, members: &[&str], due_by: Option<i64>) -> Result<()> {
        let remove = Request::write().index_remove(index, members, due_by);
        self.client.run(remove, Answers::done).await
    }

    async fn index_tombstone_all(&self, index: &str, keep: Option<&str>, now: i64) -> Result<()> {
        let all = Request::write().index_tombstone_all(index, keep, now);
        self.client.run(all, Answers::done).await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome> {
        let supersede = Request::write().index_supersede(index, old, new, now);
        self.client.run(supersede, Answers::superseded).await
    }

    async fn ping(&self) -> Result<()> {
        self.client.ping().await
    }

    async fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Result<ScanPage> {
        self.client.scan(prefix, after, limit).await
    }

    fn watch(&self, key: &str) -> Option<RecordWatch> {
        self.client.watch(key)
    }

    // Several steps in one write. The order of the commands is the order of the steps.

    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>> {
        let deadline = self.client.deadline();
        let load = keys
            .iter()
            .fold(Request::read(), |load, key| load.pttl(key).beginning(key));
        let read = |answers: &mut Answers| keys.iter().map(|_| answers.beginning()).collect();
        let beginnings: Vec<_> = self.client.run_until(deadline, load, read).await?;
        let with_keys = keys.iter().zip(&beginnings);
        let large = with_keys.filter(|(_, read)| matches!(read, Beginning::Unknown));
        let large: Vec<&str> = large.map(|(key, _)| *key).collect();
        if large.is_empty() {
            let whole = beginnings.into_iter().map(|read| read.whole_or(|| None));
            return Ok(whole.collect());
        }
        // A large value goes over the other connection, so that it delays no other call. Boxed,
        // because most reads do not come here and their future is moved.
        let mut large = Box::pin(self.load_large(deadline, &large))
            .await?
            .into_iter();
        let records = beginnings
            .into_iter()
            .map(|read| read.whole_or(|| large.next().flatten()));
        Ok(records.collect())
    }

    async fn insert_indexed(
        &self,
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>,
    ) -> Result<InsertOutcome> {
        let mut insert = put_all(entries).insert(record);
        if let Some(last) = entries.last() {
            insert = insert.index_get(last.index, last.member);
            if due.is_some() {
                insert = insert.index_list(last.index, due);
            }
        }
        let read = |answers: &mut Answers| {
            answers.skip(entries.len())?;
            answers.inserted(!entries.is_empty(), due.is_some())
        };
        self.client.run(insert, read).await
    }

    async fn compare_and_set_indexed(
        &self,
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome> {
        let set = put_all(&[entry]).compare_and_set(expected, record);
        let read = |answers: &mut Answers| answers.skip(1).and_then(|()| answers.compared());
        self.client.run(set, read).await
    }

    async fn set_ttl_indexed(
        &self,
        entry: NewEntry<'_>,
        key: &str,
        prefix: &[u8],
        ttl: Duration,
    ) -> Result<CompareOutcome> {
        let set = put_all(&[entry]).set_ttl_if(key, prefix, ttl);
        let read = |answers: &mut Answers| answers.skip(1).and_then(|()| answers.compared());
        self.client.run(set, read).await
    }

    async fn delete_indexed(&self, keys: &[&str], index: &str, members: &[&str]) -> Result<usize> {
        let delete = keys
            .iter()
            .fold(Request::write(), |all, key| all.delete(key));
        let delete = delete.index_remove(index, members, None);
        let read = |answers: &mut Answers| {
            let deleted = keys.iter().map(|_| answers.flag().map(usize::from));
            let deleted = deleted.sum::<Result<usize, _>>()?;
            answers.done().map(|()| deleted)
        };
        self.client.run(delete, read).await
    }

    async fn index_refresh(
        &self,
        index: &str,
        live: &[NewEntry<'_>],
        dead: &[&str],
        due_by: i64,
    ) -> Result<()> {
        let refresh = put_all(live).index_remove(index, dead, Some(due_by));
        self.client.run(refresh, Answers::done).await
    }
}

/// Starts a request that puts `entries`.
fn put_all(entries: &[NewEntry<'_>]) -> Request {
    let entries = entries.iter();
    entries.fold(Request::write(), |all, entry| all.index_put(*entry, KEEP))
}
