//! The harness of a case: keys that no other case uses, and the steps as short calls.

use std::collections::BTreeMap;
use std::fmt;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::crypto;
use crate::store::error::StoreError;
use crate::store::shared::SharedStore;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexFilter, NewEntry, NewRecord, PutMode, StoredRecord,
    SupersedeOutcome,
};

/// Long enough for every case, short enough to leave nothing behind.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// The time of all tombstones, in Unix seconds.
pub(super) const NOW: i64 = 1_700_000_000;

/// How [`Harness::entries`] shows a tombstone that was set at [`NOW`].
pub(super) const TOMBSTONE: i64 = -NOW;

/// How much later than its TTL a record may disappear.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much earlier; a store may round to milliseconds.
const ROUNDING: Duration = Duration::from_millis(5);

/// The store under test. Its `Display` is the beginning of every failure.
#[derive(Clone)]
pub(super) struct Harness {
    pub(super) store: SharedStore,
    case: &'static str,
    promise: &'static str,
    mode: &'static str,
    prefix: String,
}

impl fmt::Display for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            case,
            promise,
            mode,
            ..
        } = self;
        write!(f, "the store breaks `{case}` ({mode}): {promise}")
    }
}

impl Harness {
    pub(super) fn new(
        (case, promise): (&'static str, &'static str),
        store: SharedStore,
        mode: &'static str,
    ) -> Self {
        let mut random = [0; 8];
        crypto::fill_random(&mut random);
        let prefix = format!("conformance-{:016x}-", u64::from_ne_bytes(random));
        Self {
            store,
            case,
            promise,
            mode,
            prefix,
        }
    }

    /// Returns a key that no other case and no other run uses.
    pub(super) fn key(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// Returns what a call answered. It must not fail.
    pub(super) async fn ok<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> T {
        match call.await {
            Ok(answer) => answer,
            Err(error) => panic!("{self}; a call failed: {error}"),
        }
    }
}

/// Records.
impl Harness {
    pub(super) async fn load(&self, key: &str) -> Option<StoredRecord> {
        self.ok(self.store.load(key)).await
    }

    /// Returns the value of a record, which must exist.
    pub(super) async fn value(&self, key: &str) -> Bytes {
        match self.load(key).await {
            Some(record) => record.value,
            None => panic!("{self}; a record is absent"),
        }
    }

    pub(super) async fn ttl(&self, key: &str) -> Duration {
        let ttl = self.load(key).await.and_then(|record| record.ttl);
        ttl.unwrap_or_else(|| panic!("{self}; a record has no TTL or is absent"))
    }

    pub(super) async fn insert(&self, key: &str, value: &[u8]) -> bool {
        self.insert_for(LONG, key, value).await
    }

    pub(super) async fn insert_for(&self, ttl: Duration, key: &str, value: &[u8]) -> bool {
        self.ok(self.store.insert(NewRecord::new(key, value, ttl)))
            .await
    }

    pub(super) async fn set(&self, key: &str, expected: &[u8], value: &[u8]) -> CompareOutcome {
        let record = NewRecord::new(key, value, LONG);
        self.ok(self.store.compare_and_set(expected, record)).await
    }

    pub(super) async fn delete_if(&self, key: &str, expected: &[u8]) -> CompareOutcome {
        self.ok(self.store.compare_and_delete(key, expected)).await
    }

    pub(super) async fn set_ttl(&self, key: &str, ttl: Duration) -> bool {
        self.ok(self.store.set_ttl(key, ttl)).await
    }

    pub(super) async fn delete(&self, key: &str) -> bool {
        self.ok(self.store.delete(key)).await
    }

    /// Asserts that every method reports the record as absent and leaves it absent.
    pub(super) async fn assert_absent(&self, key: &str) {
        assert_eq!(self.load(key).await, None, "{self}");
        assert!(!self.set_ttl(key, LONG).await, "{self}");
        for expected in [&b""[..], b"value"] {
            let set = self.set(key, expected, b"value").await;
            assert_eq!(set, CompareOutcome::Missing, "{self}");
            let deleted = self.delete_if(key, expected).await;
            assert_eq!(deleted, CompareOutcome::Missing, "{self}");
        }
        assert_eq!(self.load(key).await, None, "{self}; only insert may create");
        assert!(!self.delete(key).await, "{self}");
    }

    /// Asserts that the TTL is at most `ttl` and, on a slow machine, at least half of it.
    pub(super) async fn assert_ttl(&self, key: &str, ttl: Duration) {
        let left = self.ttl(key).await;
        assert!(left <= ttl && left > ttl / 2, "{self}; {left:?} are left");
    }

    /// Waits until a record with `ttl` since `since` expires, and asserts that it does in time.
    pub(super) async fn assert_expires(&self, key: &str, since: Instant, ttl: Duration) {
        while self.load(key).await.is_some() {
            assert!(since.elapsed() < ttl + PATIENCE, "{self}; it does not");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(since.elapsed() + ROUNDING >= ttl, "{self}; too early");
    }
}

/// Indexes.
impl Harness {
    pub(super) async fn put(&self, index: &str, entries: &[(&str, i64)]) {
        for (member, check_after) in entries {
            self.put_for(LONG, index, member, *check_after).await;
        }
    }

    pub(super) async fn put_for(&self, ttl: Duration, index: &str, member: &str, check: i64) {
        let entry = NewEntry::new(index, member, check, ttl);
        self.ok(self.store.index_put(entry, PutMode::KeepTombstone))
            .await;
    }

    pub(super) async fn reactivate(&self, index: &str, member: &str, check_after: i64) {
        let entry = NewEntry::new(index, member, check_after, LONG);
        self.ok(self.store.index_put(entry, PutMode::Reactivate))
            .await;
    }

    /// Returns the score of an entry.
    pub(super) async fn get(&self, index: &str, member: &str) -> Option<i64> {
        let state = self.ok(self.store.index_get(index, member)).await;
        state.map(EntryState::score)
    }

    /// Returns the scores of all entries. Each must be listed once.
    pub(super) async fn entries(&self, index: &str) -> BTreeMap<String, i64> {
        let listed = self
            .ok(self.store.index_list(index, IndexFilter::All))
            .await;
        let count = listed.len();
        let entries = listed
            .into_iter()
            .map(|entry| (entry.member, entry.state.score()));
        let entries = BTreeMap::from_iter(entries);
        assert_eq!(entries.len(), count, "{self}; an entry is listed twice");
        entries
    }

    pub(super) async fn assert_entries(&self, index: &str, expected: &[(&str, i64)]) {
        let entries = self.entries(index).await;
        assert_eq!(entries, scores(expected), "{self}");
    }

    pub(super) async fn due(&self, index: &str, by: i64, limit: usize) -> Vec<String> {
        let filter = IndexFilter::Due(Due { by, limit });
        let due = self.ok(self.store.index_list(index, filter)).await;
        due.into_iter().map(|entry| entry.member).collect()
    }

    pub(super) async fn remove(&self, index: &str, members: &[&str], due_by: Option<i64>) {
        self.ok(self.store.index_remove(index, members, due_by))
            .await;
    }

    /// Returns the tombstones, sorted.
    pub(super) async fn tombstone_all(&self, index: &str, keep: Option<&str>) -> Vec<String> {
        let call = self.store.index_tombstone_all(index, keep, NOW);
        let mut members = self.ok(call).await;
        members.sort_unstable();
        members
    }

    pub(super) async fn supersede(&self, index: &str, old: &str, new: &str) -> SupersedeOutcome {
        self.ok(self.store.index_supersede(index, old, new, NOW))
            .await
    }
}

pub(super) fn scores(entries: &[(&str, i64)]) -> BTreeMap<String, i64> {
    let entries = entries.iter();
    entries
        .map(|(member, score)| ((*member).to_owned(), *score))
        .collect()
}
