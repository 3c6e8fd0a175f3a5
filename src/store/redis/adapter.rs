//! Runs the typed steps as legacy commands, until the port is complete.

use std::time::Duration;

use async_trait::async_trait;

use super::session_store::RedisStore;
use crate::store::contract::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Command, Compared, Reply, Standing, Stored, Superseded};
use crate::store::types::{
    CompareOutcome, EntryState, IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};

impl RedisStore {
    async fn one(&self, command: Command<'_>) -> Result<Reply, StoreError> {
        let reply = self.exchange.run(&[command]).await?.pop();
        match reply {
            Some(Reply::Foreign) => Err(StoreErrorKind::WrongType.into()),
            Some(reply) => Ok(reply),
            None => Err(protocol()),
        }
    }
}

fn protocol() -> StoreError {
    StoreErrorKind::Protocol.into()
}

fn applied(reply: Reply) -> Result<bool, StoreError> {
    match reply {
        Reply::Applied(applied) => Ok(applied),
        _ => Err(protocol()),
    }
}

fn compared(reply: Reply) -> Result<CompareOutcome, StoreError> {
    match reply {
        Reply::Compared(Compared::Equal) => Ok(CompareOutcome::Applied),
        Reply::Compared(Compared::Gone) => Ok(CompareOutcome::Missing),
        Reply::Compared(Compared::Different(value)) => Ok(CompareOutcome::Mismatch(value)),
        _ => Err(protocol()),
    }
}

fn record(reply: Reply) -> Result<Option<StoredRecord>, StoreError> {
    match reply {
        Reply::Record(None) => Ok(None),
        Reply::Record(Some(Stored { value, ttl })) => Ok(Some(StoredRecord { value, ttl })),
        Reply::Foreign => Err(StoreErrorKind::WrongType.into()),
        _ => Err(protocol()),
    }
}

#[async_trait]
impl Store for RedisStore {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        record(self.one(Command::Load { key }).await?)
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        let NewRecord { key, value, ttl } = record;
        applied(self.one(Command::Insert { key, value, ttl }).await?)
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        let NewRecord { key, value, ttl } = record;
        let command = Command::CompareAndSet {
            key,
            expected,
            value,
            ttl,
        };
        compared(self.one(command).await?)
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        compared(
            self.one(Command::CompareAndDelete { key, expected })
                .await?,
        )
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        applied(self.one(Command::Expire { key, ttl }).await?)
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        applied(self.one(Command::Delete { key }).await?)
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        let NewEntry {
            index,
            member,
            check_after: score,
            ttl,
        } = entry;
        let command = match mode {
            PutMode::KeepTombstone => Command::IndexPut {
                index,
                member,
                score,
                ttl,
            },
            PutMode::Reactivate => Command::IndexUnmark {
                index,
                member,
                score,
                ttl,
            },
        };
        self.one(command).await.map(drop)
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        let entries = self.index_list(index, IndexFilter::All).await?;
        let entry = entries.iter().find(|entry| entry.member == member);
        Ok(entry.map(|entry| entry.state))
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        let Reply::Entries(entries) = self.one(Command::IndexEntries { index }).await? else {
            return Err(protocol());
        };
        let mut entries: Vec<_> = entries
            .into_iter()
            .map(|entry| {
                let state = match entry.standing {
                    Standing::Live { score } => EntryState::Active { check_after: score },
                    Standing::Dying { since } => EntryState::Deleting { since },
                };
                IndexEntry::new(entry.member, state)
            })
            .collect();
        if let IndexFilter::Due(due) = filter {
            entries.retain(|entry| (0..=due.by).contains(&entry.state.score()));
            entries.sort_by_key(|entry| entry.state.score());
            entries.truncate(due.limit);
        }
        Ok(entries)
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        let command = match due_by {
            None => Command::IndexRemove { index, members },
            Some(score) => Command::IndexPrune {
                index,
                members,
                score,
            },
        };
        self.one(command).await.map(drop)
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        match self.one(Command::IndexMarkAll { index, keep, now }).await? {
            Reply::Members(members) => Ok(members),
            _ => Err(protocol()),
        }
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        let command = Command::IndexSupersede {
            index,
            old,
            new,
            now,
        };
        match self.one(command).await? {
            Reply::Superseded(Superseded::Marked) => Ok(SupersedeOutcome::Superseded),
            Reply::Superseded(Superseded::OldGone) => Ok(SupersedeOutcome::OldNotActive),
            Reply::Superseded(Superseded::NewGone) => Ok(SupersedeOutcome::NewNotActive),
            _ => Err(protocol()),
        }
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.connection().await.map(drop)
    }
}
