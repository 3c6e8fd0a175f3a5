//! A store whose compound steps go on after a failure, as a pipeline does.

use std::time::Duration;

use jwt_redis_session::store::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexFilter, InsertOutcome, NewEntry, NewRecord,
    PutMode, Store, StoreError, StoredRecord, SupersedeOutcome, async_trait,
};

use super::stepping::Stepping;

/// Runs the steps of the provided methods like a pipeline: when one of them fails, those behind
/// it run all the same, and the call fails.
///
/// The provided methods of the contract stop at the first failure. A store may do either.
#[derive(Clone, Debug)]
pub(super) struct Pipelined(pub(super) Stepping);

macro_rules! forward {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for Pipelined {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                self.0.$name($($arg),*).await
            })*

            async fn insert_indexed(
                &self,
                entries: &[NewEntry<'_>],
                record: NewRecord<'_>,
                due: Option<Due>,
            ) -> Result<InsertOutcome, StoreError> {
                let put = self.put_all(entries).await;
                let inserted = self.0.insert(record).await;
                let Some(last) = entries.last() else {
                    return put.and(inserted).map(|inserted| match inserted {
                        true => InsertOutcome::inserted(Vec::new()),
                        false => InsertOutcome::KeyTaken,
                    });
                };
                let state = self.0.index_get(last.index, last.member).await;
                let listed = match due {
                    Some(due) => self.0.index_list(last.index, IndexFilter::Due(due)).await,
                    None => Ok(Vec::new()),
                };
                put?;
                let (inserted, state, listed) = (inserted?, state?, listed?);
                Ok(match state {
                    _ if !inserted => InsertOutcome::KeyTaken,
                    Some(EntryState::Active { .. }) => InsertOutcome::inserted(listed),
                    _ => InsertOutcome::EntryLost,
                })
            }

            async fn compare_and_set_indexed(
                &self,
                entry: NewEntry<'_>,
                expected: &[u8],
                record: NewRecord<'_>,
            ) -> Result<CompareOutcome, StoreError> {
                let put = self.0.index_put(entry, PutMode::KeepTombstone).await;
                let set = self.0.compare_and_set(expected, record).await;
                put.and(set)
            }

            async fn set_ttl_indexed(
                &self,
                entry: NewEntry<'_>,
                key: &str,
                ttl: Duration,
            ) -> Result<bool, StoreError> {
                let put = self.0.index_put(entry, PutMode::KeepTombstone).await;
                let set = self.0.set_ttl(key, ttl).await;
                put.and(set)
            }

            async fn delete_indexed(
                &self,
                keys: &[&str],
                index: &str,
                members: &[&str],
            ) -> Result<usize, StoreError> {
                let mut deleted = Ok(0);
                for key in keys {
                    let existed = self.0.delete(key).await;
                    deleted = deleted.and_then(|count| Ok(count + usize::from(existed?)));
                }
                if members.is_empty() {
                    return deleted;
                }
                let removed = self.0.index_remove(index, members, None).await;
                removed.and(deleted)
            }

            async fn index_refresh(
                &self,
                index: &str,
                live: &[NewEntry<'_>],
                dead: &[&str],
                due_by: i64,
            ) -> Result<(), StoreError> {
                let put = self.put_all(live).await;
                let removed = self.0.index_remove(index, dead, Some(due_by)).await;
                put.and(removed)
            }
        }
    };
}

forward! {
    load(key: &str) -> Option<StoredRecord>;
    insert(record: NewRecord<'_>) -> bool;
    compare_and_set(expected: &[u8], record: NewRecord<'_>) -> CompareOutcome;
    compare_and_delete(key: &str, expected: &[u8]) -> CompareOutcome;
    set_ttl(key: &str, ttl: Duration) -> bool;
    delete(key: &str) -> bool;
    index_put(entry: NewEntry<'_>, mode: PutMode) -> ();
    index_get(index: &str, member: &str) -> Option<EntryState>;
    index_list(index: &str, filter: IndexFilter) -> Vec<IndexEntry>;
    index_remove(index: &str, members: &[&str], due_by: Option<i64>) -> ();
    index_tombstone_all(index: &str, keep: Option<&str>, now: i64) -> Vec<String>;
    index_supersede(index: &str, old: &str, new: &str, now: i64) -> SupersedeOutcome;
    ping() -> ();
}

impl Pipelined {
    async fn put_all(&self, entries: &[NewEntry<'_>]) -> Result<(), StoreError> {
        let mut result = Ok(());
        for entry in entries {
            let put = self.0.index_put(*entry, PutMode::KeepTombstone).await;
            result = result.and(put);
        }
        result
    }
}
