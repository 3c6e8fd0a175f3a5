//! Stores that interfere with the operations.

use std::fmt::Debug;
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jwt_redis_session::store::{
    CompareOutcome, EntryState, IndexEntry, IndexFilter, NewEntry, NewRecord, PutMode, SharedStore,
    Store, StoreError, StoredRecord, SupersedeOutcome, async_trait,
};
use jwt_redis_session::testing::{Hook, Hooked, Step};
use serde_json::Value;

/// What an [`Intercepted`] store does besides its steps.
pub(super) trait Intercept: Debug + Send + Sync + 'static {
    /// Runs before each compare-and-set and compare-and-delete.
    fn before_compare(&self, _store: &SharedStore, _key: &str) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Runs before each compare-and-set of a value of this size.
    fn before_set(&self, _size: usize) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }

    /// Changes what a load returns.
    fn loaded(&self, record: Option<StoredRecord>) -> Option<StoredRecord> {
        record
    }
}

/// Store whose loads and comparisons are intercepted.
#[derive(Clone, Debug)]
pub(super) struct Intercepted<I> {
    inner: SharedStore,
    intercept: I,
}

#[async_trait]
impl<I: Intercept> Store for Intercepted<I> {
    async fn load(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        let loaded = self.inner.load(key).await?;
        Ok(self.intercept.loaded(loaded))
    }

    async fn insert(&self, record: NewRecord<'_>) -> Result<bool, StoreError> {
        self.inner.insert(record).await
    }

    async fn compare_and_set(
        &self,
        expected: &[u8],
        record: NewRecord<'_>,
    ) -> Result<CompareOutcome, StoreError> {
        self.intercept.before_compare(&self.inner, record.key).await;
        self.intercept.before_set(record.value.len()).await;
        self.inner.compare_and_set(expected, record).await
    }

    async fn compare_and_delete(
        &self,
        key: &str,
        expected: &[u8],
    ) -> Result<CompareOutcome, StoreError> {
        self.intercept.before_compare(&self.inner, key).await;
        self.inner.compare_and_delete(key, expected).await
    }

    async fn set_ttl(&self, key: &str, ttl: Duration) -> Result<bool, StoreError> {
        self.inner.set_ttl(key, ttl).await
    }

    async fn delete(&self, key: &str) -> Result<bool, StoreError> {
        self.inner.delete(key).await
    }

    async fn index_put(&self, entry: NewEntry<'_>, mode: PutMode) -> Result<(), StoreError> {
        self.inner.index_put(entry, mode).await
    }

    async fn index_get(&self, index: &str, member: &str) -> Result<Option<EntryState>, StoreError> {
        self.inner.index_get(index, member).await
    }

    async fn index_list(
        &self,
        index: &str,
        filter: IndexFilter,
    ) -> Result<Vec<IndexEntry>, StoreError> {
        self.inner.index_list(index, filter).await
    }

    async fn index_remove(
        &self,
        index: &str,
        members: &[&str],
        due_by: Option<i64>,
    ) -> Result<(), StoreError> {
        self.inner.index_remove(index, members, due_by).await
    }

    async fn index_tombstone_all(
        &self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Result<Vec<String>, StoreError> {
        self.inner.index_tombstone_all(index, keep, now).await
    }

    async fn index_supersede(
        &self,
        index: &str,
        old: &str,
        new: &str,
        now: i64,
    ) -> Result<SupersedeOutcome, StoreError> {
        self.inner.index_supersede(index, old, new, now).await
    }

    async fn ping(&self) -> Result<(), StoreError> {
        self.inner.ping().await
    }
}

/// Writes another value into a record just before it is compared, a number of times.
#[derive(Clone, Debug)]
pub(super) struct Meddle(Arc<AtomicUsize>);

pub(super) type Meddling = Intercepted<Meddle>;

impl Meddling {
    pub(super) fn new(store: impl Into<SharedStore>, times: usize) -> Self {
        Self {
            inner: store.into(),
            intercept: Meddle(Arc::new(AtomicUsize::new(times))),
        }
    }

    pub(super) fn set(&self, times: usize) {
        self.intercept.0.store(times, Ordering::SeqCst);
    }

    pub(super) fn left(&self) -> usize {
        self.intercept.0.load(Ordering::SeqCst)
    }
}

impl Intercept for Meddle {
    async fn before_compare(&self, store: &SharedStore, key: &str) {
        let left = self.0.load(Ordering::SeqCst);
        let Some(stored) = store.load(key).await.unwrap() else {
            return;
        };
        if left == 0 {
            return;
        }
        self.0.store(left - 1, Ordering::SeqCst);
        let mut object: Value = serde_json::from_slice(&stored.value).unwrap();
        object["meddled"] = left.into();
        let value = serde_json::to_vec(&object).unwrap();
        let record = NewRecord::new(key, &value, stored.ttl.unwrap());
        let written = store.compare_and_set(&stored.value, record).await.unwrap();
        assert_eq!(written, CompareOutcome::Applied);
    }
}

/// Takes a time that grows with the value: 1 ms, and 20 ms more for 650 KB.
#[derive(Clone, Debug)]
pub(super) struct SlowLink;

impl Intercept for SlowLink {
    async fn before_set(&self, size: usize) {
        let bytes = u64::try_from(size).unwrap();
        tokio::time::sleep(Duration::from_micros(1_000 + bytes / 32)).await;
    }
}

/// Sees no record, like a process that looked too early.
#[derive(Clone, Debug)]
pub(super) struct SeeNothing;

impl Intercept for SeeNothing {
    fn loaded(&self, _: Option<StoredRecord>) -> Option<StoredRecord> {
        None
    }
}

/// Reports every record as one that does not expire.
#[derive(Clone, Debug)]
pub(super) struct SeeNoTtl;

impl Intercept for SeeNoTtl {
    fn loaded(&self, record: Option<StoredRecord>) -> Option<StoredRecord> {
        record.map(|record| StoredRecord::new(record.value, None))
    }
}

pub(super) fn intercepted<I>(store: impl Into<SharedStore>, intercept: I) -> Intercepted<I> {
    Intercepted {
        inner: store.into(),
        intercept,
    }
}

/// Yields to the other tasks around every step.
#[derive(Clone, Debug)]
pub(super) struct Yield;

impl Hook for Yield {
    async fn around<T: Hash + Send>(
        &self,
        _: Step,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        tokio::task::yield_now().await;
        tokio::task::yield_now().await;
        call.await
    }
}

/// Store that yields to the other tasks around every step.
pub(super) fn yielding(store: impl Into<SharedStore>) -> Hooked<Yield> {
    Hooked::new(store, Yield)
}

/// Waits before each compare-and-delete until it is notified.
#[derive(Clone, Debug)]
pub(super) struct Late(pub(super) Arc<tokio::sync::Notify>);

impl Hook for Late {
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if step == Step::CompareAndDelete {
            self.0.notified().await;
        }
        call.await
    }
}
