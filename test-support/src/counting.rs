//! A store that counts its calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use jwt_redis_session::store::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, InsertOutcome, NewEntry, NewRecord,
    PutMode, RecordWatch, ScanPage, SharedStore, Store, StoreError, StoredRecord, SupersedeOutcome,
    async_trait,
};

/// Store that counts its calls. A provided method is one call, and the inner store's is used.
///
/// Clones share the count.
#[derive(Clone, Debug)]
pub struct Counting {
    inner: SharedStore,
    calls: Arc<AtomicUsize>,
}

impl Counting {
    /// Wraps `inner`.
    pub fn new(inner: impl Into<SharedStore>) -> Self {
        Self {
            inner: inner.into(),
            calls: Arc::default(),
        }
    }

    /// Returns the number of calls so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.calls.load(Ordering::SeqCst)
    }
}

macro_rules! counting {
    ($($name:ident($($arg:ident: $ty:ty),*) -> $out:ty;)*) => {
        #[async_trait]
        impl Store for Counting {
            $(async fn $name(&self, $($arg: $ty),*) -> Result<$out, StoreError> {
                self.calls.fetch_add(1, Ordering::SeqCst);
                self.inner.$name($($arg),*).await
            })*

            fn watch(&self, key: &str) -> Option<RecordWatch> {
                self.inner.watch(key)
            }
        }
    };
}

counting! {
    load(key: &str) -> Option<StoredRecord>;
    insert(record: NewRecord<'_>) -> bool;
    compare_and_set(expected: &[u8], record: NewRecord<'_>) -> CompareOutcome;
    compare_and_delete(key: &str, expected: &[u8]) -> CompareOutcome;
    set_ttl_if(key: &str, prefix: &[u8], ttl: Duration) -> CompareOutcome;
    delete(key: &str) -> bool;
    index_put(entry: NewEntry<'_>, mode: PutMode) -> ();
    index_get(index: &str, member: &str) -> Option<EntryState>;
    index_list(index: &str, due: Option<Due>) -> Vec<IndexEntry>;
    index_page(index: &str, page: IndexPage<'_>) -> Vec<IndexEntry>;
    index_remove(index: &str, members: &[&str], due_by: Option<i64>) -> ();
    index_tombstone_all(index: &str, keep: Option<&str>, now: i64) -> ();
    index_supersede(index: &str, old: &str, new: &str, now: i64) -> SupersedeOutcome;
    ping() -> ();
    scan(prefix: &str, after: Option<&str>, limit: usize) -> ScanPage;
    load_many(keys: &[&str]) -> Vec<Option<StoredRecord>>;
    insert_indexed(
        entries: &[NewEntry<'_>],
        record: NewRecord<'_>,
        due: Option<Due>
    ) -> InsertOutcome;
    compare_and_set_indexed(
        entry: NewEntry<'_>,
        expected: &[u8],
        record: NewRecord<'_>
    ) -> CompareOutcome;
    set_ttl_indexed(
        entry: NewEntry<'_>,
        key: &str,
        prefix: &[u8],
        ttl: Duration
    ) -> CompareOutcome;
    delete_indexed(keys: &[&str], index: &str, members: &[&str]) -> usize;
    index_refresh(index: &str, live: &[NewEntry<'_>], dead: &[&str], due_by: i64) -> ();
}
