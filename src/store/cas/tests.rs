//! What the conformance suite does not see of a `CasStore`.

use std::time::Duration;

use async_trait::async_trait;

use super::memory_backend::MemoryBackend;
use super::{CasBackend, CasStore};
use crate::store::contract::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::types::{CompareOutcome, NewEntry, NewRecord, PutMode, StoredRecord};

const TTL: Duration = Duration::from_secs(60);

fn entry<'a>(index: &'a str, member: &'a str) -> NewEntry<'a> {
    NewEntry::new(index, member, 5, TTL)
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

#[tokio::test]
async fn an_empty_index_is_deleted() {
    let backend = MemoryBackend::default();
    let store = CasStore::new(backend.clone());
    store
        .index_put(entry("index", "a"), PutMode::KeepTombstone)
        .await
        .unwrap();
    assert!(backend.get("index").await.unwrap().is_some());
    store.index_remove("index", &["a"], None).await.unwrap();
    assert!(backend.get("index").await.unwrap().is_none());
    store.index_remove("index", &["a"], None).await.unwrap();
    assert!(backend.get("index").await.unwrap().is_none());
}

#[tokio::test]
async fn a_change_of_an_index_keeps_its_ttl() {
    let backend = MemoryBackend::default();
    let store = CasStore::new(backend.clone());
    for member in ["a", "b"] {
        store
            .index_put(entry("index", member), PutMode::KeepTombstone)
            .await
            .unwrap();
    }
    store.index_remove("index", &["a"], None).await.unwrap();
    let ttl = backend.get("index").await.unwrap().unwrap().ttl.unwrap();
    assert!(ttl > TTL / 2 && ttl <= TTL + Duration::from_millis(1));
}

#[tokio::test]
async fn records_and_indexes_are_never_mistaken_for_each_other() {
    let backend = MemoryBackend::default();
    let store = CasStore::new(backend.clone());
    let put = store.index_put(entry("index", "a"), PutMode::KeepTombstone);
    put.await.unwrap();
    store
        .insert(NewRecord::new("record", b"{}", TTL))
        .await
        .unwrap();
    let index = backend.get("index").await.unwrap().unwrap().value;
    let as_index = NewRecord::new("index", b"{}", TTL);
    for answer in [
        kind(store.load("index").await),
        kind(store.compare_and_set(b"{}", as_index).await),
        kind(store.compare_and_set(&index, as_index).await),
        kind(store.compare_and_delete("index", &index).await),
        kind(store.set_ttl("index", TTL).await),
        kind(store.delete("index").await),
        kind(store.insert(NewRecord::new("new", &index, TTL)).await),
        kind(
            store
                .index_put(entry("record", "a"), PutMode::Reactivate)
                .await,
        ),
        kind(store.index_get("record", "a").await),
        kind(store.index_tombstone_all("record", None, 1).await),
    ] {
        assert_eq!(answer, Some(StoreErrorKind::WrongType));
    }
    assert_eq!(backend.get("index").await.unwrap().unwrap().value, index);
    assert_eq!(backend.get("record").await.unwrap().unwrap().value, "{}");
    assert!(backend.get("new").await.unwrap().is_none());
}

/// Loses every race, or never answers.
#[derive(Debug)]
struct Loser {
    held: MemoryBackend,
    hangs: bool,
}

#[async_trait]
impl CasBackend for Loser {
    async fn get(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        self.held.get(key).await
    }

    async fn swap(
        &self,
        _: &str,
        _: Option<&[u8]>,
        _: Option<(&[u8], Duration)>,
    ) -> Result<bool, StoreError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        Ok(false)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn changes_that_lose_every_race_end() {
    for (hangs, expected) in [
        (false, StoreErrorKind::Contention),
        (true, StoreErrorKind::Timeout),
    ] {
        let held = MemoryBackend::default();
        held.swap("key", None, Some((b"{}", TTL))).await.unwrap();
        let store = CasStore::new(Loser { held, hangs });
        let record = NewRecord::new("key", b"{}", TTL);
        let since = tokio::time::Instant::now();
        for answer in [
            kind(store.compare_and_set(b"{}", record).await),
            kind(store.compare_and_delete("key", b"{}").await),
            kind(store.set_ttl("key", TTL).await),
            kind(store.delete("key").await),
            kind(store.index_put(entry("i", "a"), PutMode::Reactivate).await),
        ] {
            assert_eq!(answer, Some(expected));
        }
        assert!(since.elapsed() <= Duration::from_secs(26));
        let other = store.compare_and_set(b"other", record).await;
        match hangs {
            true => assert_eq!(kind(other), Some(expected)),
            false => assert!(matches!(other, Ok(CompareOutcome::Mismatch(_)))),
        }
    }
}
