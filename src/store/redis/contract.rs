//! The store contract, one request for each method.

use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::answers::{Answers, Beginning};
use super::commands::{self, Form};
use super::request::Request;
use super::store::RedisStore;
use crate::store::contract::Store;
use crate::store::error::StoreError;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexFilter, InsertOutcome, NewEntry, NewRecord,
    PutMode, StoredRecord, SupersedeOutcome,
};

const KEEP: PutMode = PutMode::KeepTombstone;

impl RedisStore {
    /// Reads records whose values are large, or empty.
    async fn load_large(
        &self,
        deadline: Instant,
        keys: &[&str],
    ) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        let mut load = Request::reads(2 * keys.len()).expect_large();
        for key in keys {
            load.push(commands::pttl(key));
            load.push(commands::get(key));
        }
        let read = |answers: &mut Answers| keys.iter().map(|_| answers.record()).collect();
        self.client.run_until(deadline, &load, read).await
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        let deadline = self.client.deadline();
        // One write for both: as two requests they took fewer allocations, but two system calls.
        let mut load = Request::reads(2);
        load.push(commands::pttl(key));
        load.push(commands::beginning(key));
        let loading = self.client.run_until(deadline, &load, Answers::beginning);
        match loading.await? {
            Beginning::Whole(record) => Ok(record),
            Beginning::Unknown { .. } => {
                Ok(self.load_large(deadline, &[key]).await?.pop().flatten())
            }
        }
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        let insert = Request::write(commands::insert(record));
        self.client.run(&insert, Answers::flag).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        let set = commands::compare_and_set(Form::Hash, expected, record);
        self.client
            .run(&Request::write(set), Answers::compared)
            .await
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        let delete = commands::compare_and_delete(Form::Hash, key, expected);
        self.client
            .run(&Request::write(delete), Answers::compared)
            .await
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        let set = Request::write(commands::set_ttl(key, ttl));
        self.client.run(&set, Answers::flag).await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        let delete = Request::write(commands::delete(key));
        self.client.run(&delete, Answers::flag).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        let put = Request::write(commands::index_put(Form::Hash, entry, mode));
        self.client.run(&put, Answers::done).await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        let get = Request::read(commands::index_get(index, member));
        self.client.run(&get, Answers::state).await
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        let list = Request::read(match filter {
            IndexFilter::All => commands::index_all(index),
            IndexFilter::Due(due) => commands::index_due(index, due),
        });
        self.client.run(&list, Answers::entries).await
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        if members.is_empty() {
            return Ok(());
        }
        let remove = commands::index_remove(Form::Hash, index, members, due_by);
        self.client
            .run(&Request::write(remove), Answers::done)
            .await
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        let all = commands::index_tombstone_all(Form::Hash, index, keep, now);
        self.client
            .run(&Request::write(all), Answers::members)
            .await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        let supersede = commands::index_supersede(Form::Hash, index, old, new, now);
        self.client
            .run(&Request::write(supersede), Answers::superseded)
            .await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        let ping = Request::read(redis::cmd("PING"));
        self.client.run(&ping, Answers::done).await
    }

    // Several steps in one write. The order of the pushes is the order of the steps.

    async fn load_many(&self, keys: &[&str]) -> Result<Vec<Option<StoredRecord>>, StoreError> {
        let deadline = self.client.deadline();
        let mut load = Request::reads(2 * keys.len());
        for key in keys {
            load.push(commands::pttl(key));
            load.push(commands::beginning(key));
        }
        let read = |answers: &mut Answers| keys.iter().map(|_| answers.beginning()).collect();
        let beginnings: Vec<_> = self.client.run_until(deadline, &load, read).await?;
        let unknown =
            |(_, beginning): &(_, &Beginning)| matches!(beginning, Beginning::Unknown { .. });
        let large = keys.iter().zip(&beginnings).filter(unknown);
        let large: Vec<&str> = large.map(|(key, _)| *key).collect();
        let mut large = self.load_large(deadline, &large).await?.into_iter();
        let records = beginnings.into_iter().map(|beginning| match beginning {
            Beginning::Whole(record) => record,
            Beginning::Unknown { .. } => large.next().flatten(),
        });
        Ok(records.collect())
    }

    async fn load_and_set_ttl(
        &self,
        key: &str,
        ttl: Duration,
    ) -> Result<Option<StoredRecord>, StoreError> {
        let deadline = self.client.deadline();
        let mut load = Request::writes(3);
        load.push(commands::pttl(key));
        load.push(commands::beginning(key));
        load.push(commands::set_ttl(key, ttl));
        let read = |answers: &mut Answers| Ok((answers.beginning()?, answers.flag()?));
        match self.client.run_until(deadline, &load, read).await? {
            (_, false) => Ok(None),
            (Beginning::Whole(record), true) => Ok(record),
            (Beginning::Unknown { ttl }, true) => {
                let record = self.load_large(deadline, &[key]).await?.pop().flatten();
                Ok(record.map(|record| StoredRecord::new(record.value, ttl)))
            }
        }
    }

    async fn insert_indexed(
        &self,
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>,
    ) -> Result<InsertOutcome, StoreError> {
        let mut insert = Request::writes(entries.len() + 3);
        for entry in entries {
            insert.push(commands::index_put(Form::Text, *entry, KEEP));
        }
        insert.push(commands::insert(record));
        if let Some(last) = entries.last() {
            insert.push(commands::index_get(last.index, last.member));
            if let Some(due) = due {
                insert.push(commands::index_due(last.index, due));
            }
        }
        let read = |answers: &mut Answers| {
            answers.all_done(entries.len())?;
            answers.inserted(!entries.is_empty(), due.is_some())
        };
        self.client.run(&insert, read).await
    }

    async fn compare_and_set_indexed(
        &self,
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        let mut set = Request::writes(2);
        set.push(commands::index_put(Form::Text, entry, KEEP));
        set.push(commands::compare_and_set(Form::Text, expected, record));
        let read = |answers: &mut Answers| answers.done().and_then(|()| answers.compared());
        self.client.run(&set, read).await
    }

    async fn set_ttl_indexed(
        &self,
        entry: NewEntry<'_>,
        key: &str,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let mut set = Request::writes(2);
        set.push(commands::index_put(Form::Text, entry, KEEP));
        set.push(commands::set_ttl(key, ttl));
        let read = |answers: &mut Answers| answers.done().and_then(|()| answers.flag());
        self.client.run(&set, read).await
    }

    async fn delete_indexed(
        &self,
        keys: &[&str],
        index: &str,
        members: &[&str],
    ) -> Result<usize, StoreError> {
        let mut delete = Request::writes(keys.len() + 1);
        for key in keys {
            delete.push(commands::delete(key));
        }
        if !members.is_empty() {
            delete.push(commands::index_remove(Form::Text, index, members, None));
        }
        let read = |answers: &mut Answers| {
            let deleted = keys.iter().map(|_| answers.flag().map(usize::from));
            let deleted = deleted.sum::<Result<usize, _>>()?;
            answers.all_done(usize::from(!members.is_empty()))?;
            Ok(deleted)
        };
        self.client.run(&delete, read).await
    }

    async fn index_refresh(
        &self,
        index: &str,
        live: &[NewEntry<'_>],
        dead: &[&str],
        due_by: i64,
    ) -> Result<(), StoreError> {
        let mut refresh = Request::writes(live.len() + 1);
        for entry in live {
            refresh.push(commands::index_put(Form::Text, *entry, KEEP));
        }
        if !dead.is_empty() {
            refresh.push(commands::index_remove(
                Form::Text,
                index,
                dead,
                Some(due_by),
            ));
        }
        let count = live.len() + usize::from(!dead.is_empty());
        let read = |answers: &mut Answers| answers.all_done(count);
        self.client.run(&refresh, read).await
    }
}
