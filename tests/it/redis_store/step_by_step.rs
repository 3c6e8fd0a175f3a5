//! A store without the pipelines of the Redis store.

use async_trait::async_trait;
use jwt_redis_session::store::{IndexEntryOfContract as IndexEntry, StoreError, StoredRecord};

use super::*;

/// Forwards the required methods only, so that the provided ones run step by step.
#[derive(Debug)]
pub(super) struct StepByStep(pub(super) RedisStore);

#[async_trait]
impl Store for StepByStep {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        self.0.load(key).await
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        self.0.insert(record).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        self.0.compare_and_set(expected, record).await
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        self.0.compare_and_delete(key, expected).await
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        self.0.set_ttl(key, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        self.0.delete(key).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        self.0.index_put(entry, mode).await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        self.0.index_get(index, member).await
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        self.0.index_list(index, filter).await
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        self.0.index_remove(index, members, due_by).await
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.0.index_tombstone_all(index, keep, now).await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        self.0.index_supersede(index, old, new, now).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.0.ping().await
    }
}
