//! The harness of a case: keys that no other case uses, and calls with the answer they must give.

use std::collections::BTreeMap;
use std::fmt::{self, Debug};
use std::time::{Duration, Instant};

use crate::crypto;
use crate::store::error::Result;
use crate::store::shared::SharedStore;
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};

/// Long enough for every case, short enough to leave nothing behind.
pub(super) const LONG: Duration = Duration::from_secs(120);

/// A TTL that is clearly shorter than [`LONG`] and does not end during a case.
pub(super) const MINUTE: Duration = Duration::from_secs(60);

/// The time of all tombstones, in Unix seconds.
pub(super) const NOW: i64 = 1_700_000_000;

/// How [`Harness::entries`] shows an entry that was superseded at [`NOW`].
pub(super) const SUPERSEDED: i64 = -NOW;

/// How [`Harness::entries`] shows an entry that is deleting since [`NOW`].
pub(super) const TOMBSTONE: i64 = SUPERSEDED - (1 << 40);

/// How much later than its TTL a record may disappear.
const PATIENCE: Duration = Duration::from_secs(5);

/// How much earlier; a store may round to milliseconds.
const ROUNDING: Duration = Duration::from_millis(5);

/// The store under test, with one record and one index. Its `Display` begins every failure.
#[derive(Clone)]
pub(super) struct Harness {
    pub(super) store: SharedStore,
    pub(super) key: String,
    pub(super) index: String,
    failure: String,
}

impl fmt::Display for Harness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.failure)
    }
}

impl Harness {
    pub(super) fn new(store: SharedStore, failure: String) -> Self {
        let mut random = [0; 8];
        crypto::fill_random(&mut random);
        let prefix = format!("conformance-{:016x}-", u64::from_ne_bytes(random));
        Self {
            store,
            key: format!("{prefix}record"),
            index: format!("{prefix}index"),
            failure,
        }
    }

    /// Returns the harness of another record and another index.
    pub(super) fn named(&self, name: &str) -> Self {
        let mut named = self.clone();
        named.key.push_str(name);
        named.index.push_str(name);
        named
    }

    /// Returns the result of a call, which must not fail.
    pub(super) async fn ok<T>(&self, call: impl Future<Output = Result<T>>) -> T {
        match call.await {
            Ok(answer) => answer,
            Err(error) => panic!("{self}; a call failed: {error}"),
        }
    }

    #[track_caller]
    #[expect(clippy::needless_pass_by_value, reason = "as assert_eq! takes it")]
    pub(super) fn assert_eq<T: PartialEq<E> + Debug, E: Debug>(&self, answer: T, expected: E) {
        assert_eq!(answer, expected, "{self}");
    }

    pub(super) const fn record<'a>(&'a self, value: &'a [u8]) -> NewRecord<'a> {
        NewRecord::new(self.key.as_str(), value, LONG)
    }

    pub(super) const fn entry<'a>(&'a self, member: &'a str, check_after: i64) -> NewEntry<'a> {
        NewEntry::new(self.index.as_str(), member, check_after, LONG)
    }
}

/// Records.
impl Harness {
    pub(super) async fn load(&self) -> Option<StoredRecord> {
        self.ok(self.store.load(&self.key)).await
    }

    pub(super) async fn assert_value(&self, expected: impl AsRef<[u8]>) {
        let value = self.load().await.map(|record| record.value);
        let is_expected = value.as_deref() == Some(expected.as_ref());
        assert!(is_expected, "{self}; the value is another one");
    }

    /// Asserts that the TTL is at most `ttl` and, on a slow machine, at least half of it.
    pub(super) async fn assert_ttl(&self, ttl: Duration) {
        let left = self.load().await.and_then(|record| record.ttl);
        let is_right = left.is_some_and(|left| left <= ttl && left > ttl / 2);
        assert!(is_right, "{self}; {left:?} are left");
    }

    pub(super) async fn insert(&self, value: impl AsRef<[u8]>) -> bool {
        self.insert_for(LONG, value).await
    }

    pub(super) async fn insert_for(&self, ttl: Duration, value: impl AsRef<[u8]>) -> bool {
        let record = NewRecord::new(&self.key, value.as_ref(), ttl);
        self.ok(self.store.insert(record)).await
    }

    pub(super) async fn set(
        &self,
        expected: impl AsRef<[u8]>,
        value: impl AsRef<[u8]>,
    ) -> CompareOutcome {
        let record = self.record(value.as_ref());
        let call = self.store.compare_and_set(expected.as_ref(), record);
        self.ok(call).await
    }

    pub(super) async fn delete_if(&self, expected: impl AsRef<[u8]>) -> CompareOutcome {
        let call = self.store.compare_and_delete(&self.key, expected.as_ref());
        self.ok(call).await
    }

    pub(super) async fn set_ttl(&self, ttl: Duration) -> bool {
        self.ok(self.store.set_ttl(&self.key, ttl)).await
    }

    pub(super) async fn delete(&self) -> bool {
        self.ok(self.store.delete(&self.key)).await
    }

    /// Asserts that every method reports the record as absent and leaves it absent.
    pub(super) async fn assert_absent(&self) {
        self.assert_eq(self.load().await, None);
        self.assert_eq(self.set_ttl(LONG).await, false);
        for expected in ["", "value"] {
            self.assert_eq(self.set(expected, "value").await, CompareOutcome::Missing);
            self.assert_eq(self.delete_if(expected).await, CompareOutcome::Missing);
        }
        assert_eq!(self.load().await, None, "{self}; only insert may create");
        self.assert_eq(self.delete().await, false);
    }

    /// Waits until a record with `ttl` since `since` expires, and asserts that it expires in time.
    pub(super) async fn assert_expires(&self, since: Instant, ttl: Duration) {
        while self.load().await.is_some() {
            assert!(since.elapsed() < ttl + PATIENCE, "{self}; it does not");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(since.elapsed() + ROUNDING >= ttl, "{self}; too early");
    }
}

/// Indexes.
impl Harness {
    pub(super) async fn put(&self, entries: &[(&str, i64)]) {
        for (member, check_after) in entries {
            self.put_entry(self.entry(member, *check_after)).await;
        }
    }

    pub(super) async fn put_entry(&self, entry: NewEntry<'_>) {
        let put = self.store.index_put(entry, PutMode::KeepTombstone);
        self.ok(put).await;
    }

    /// Returns the score of an entry.
    pub(super) async fn get(&self, member: &str) -> Option<i64> {
        let state = self.ok(self.store.index_get(&self.index, member)).await;
        state.map(EntryState::score)
    }

    /// Returns the scores of all entries. Each must be listed once.
    pub(super) async fn entries(&self) -> BTreeMap<String, i64> {
        let call = self.store.index_list(&self.index, None);
        let listed = self.ok(call).await;
        let mut entries = BTreeMap::new();
        for entry in listed {
            let twice = entries.insert(entry.member, entry.state.score());
            assert_eq!(twice, None, "{self}; an entry is listed twice");
        }
        entries
    }

    pub(super) async fn assert_entries(&self, expected: &[(&str, i64)]) {
        let entries = self.entries().await;
        let entries: Vec<_> = entries.iter().map(|(id, score)| (&**id, *score)).collect();
        self.assert_eq(entries, expected);
    }

    pub(super) async fn due(&self, by: i64, limit: usize) -> Vec<String> {
        let due = Some(Due { by, limit });
        let due = self.ok(self.store.index_list(&self.index, due)).await;
        due.into_iter().map(|entry| entry.member).collect()
    }

    /// Returns all entries in pages of `limit`, in the order of the pages.
    pub(super) async fn walk(
        &self,
        mut after: Option<IndexEntry>,
        descending: bool,
        limit: usize,
    ) -> Vec<IndexEntry> {
        let mut walked = Vec::new();
        loop {
            let after_last = after.as_ref();
            let page = IndexPage {
                after: after_last,
                descending,
                limit,
            };
            let entries = self.ok(self.store.index_page(&self.index, page)).await;
            assert!(entries.len() <= limit, "{self}; a page is too long");
            let is_end = entries.len() < limit;
            after = entries.last().cloned();
            walked.extend(entries);
            if is_end {
                return walked;
            }
        }
    }

    pub(super) async fn remove(&self, members: &[&str], due_by: Option<i64>) {
        let remove = self.store.index_remove(&self.index, members, due_by);
        self.ok(remove).await;
    }

    pub(super) async fn tombstone_all(&self, keep: Option<&str>) {
        let call = self.store.index_tombstone_all(&self.index, keep, NOW);
        self.ok(call).await;
    }

    pub(super) async fn supersede(&self, old: &str, new: &str) -> SupersedeOutcome {
        let supersede = self.store.index_supersede(&self.index, old, new, NOW);
        self.ok(supersede).await
    }
}
