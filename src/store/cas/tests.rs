//! Tests of what the conformance suite cannot see of a `CasStore`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{CasBackend, CasStore};
use crate::store::contract::Store;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::types::{NewEntry, NewRecord, PutMode, StoredRecord};

const TTL: Duration = Duration::from_secs(60);
const KEEP: PutMode = PutMode::KeepTombstone;

fn entry<'a>(index: &'a str, member: &'a str) -> NewEntry<'a> {
    NewEntry::new(index, member, 5, TTL)
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

/// Values in memory that do not expire. Clones share them.
#[derive(Clone, Debug, Default)]
struct Backend {
    values: Arc<Mutex<HashMap<String, StoredRecord>>>,
    loses_every_race: bool,
    hangs: bool,
}

impl Backend {
    fn held(&self, key: &str) -> Option<StoredRecord> {
        self.values.lock().unwrap().get(key).cloned()
    }
}

#[async_trait]
impl CasBackend for Backend {
    async fn get(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
        Ok(self.held(key))
    }

    async fn swap(
        &self,
        key: &str,
        expected: Option<&[u8]>,
        new: Option<(&[u8], Duration)>,
    ) -> Result<bool, StoreError> {
        if self.hangs {
            std::future::pending::<()>().await;
        }
        let mut values = self.values.lock().unwrap();
        let held = values.get(key).map(|held| &*held.value);
        if held != expected || self.loses_every_race {
            return Ok(false);
        }
        values.remove(key);
        if let Some((value, ttl)) = new {
            let record = StoredRecord::new(value.to_vec(), Some(ttl));
            values.insert(key.to_owned(), record);
        }
        Ok(true)
    }

    async fn ping(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[tokio::test]
async fn an_empty_index_is_deleted() {
    let backend = Backend::default();
    let store = CasStore::new(backend.clone());
    store.index_put(entry("index", "a"), KEEP).await.unwrap();
    assert_eq!(backend.held("index").unwrap().ttl, Some(TTL));
    for _ in 0..2 {
        store.index_remove("index", &["a"], None).await.unwrap();
        assert_eq!(backend.held("index"), None);
    }
}

#[tokio::test]
async fn records_and_indexes_are_never_mistaken_for_each_other() {
    let backend = Backend::default();
    let store = CasStore::new(backend.clone());
    store.index_put(entry("index", "a"), KEEP).await.unwrap();
    let record = |key, value| NewRecord::new(key, value, TTL);
    store.insert(record("record", b"{}")).await.unwrap();
    let index = backend.held("index").unwrap().value;
    for answer in [
        kind(store.load("index").await),
        kind(store.compare_and_set(b"{}", record("index", b"{}")).await),
        kind(store.compare_and_set(&index, record("index", b"{}")).await),
        kind(store.compare_and_set(b"{}", record("record", &index)).await),
        kind(store.compare_and_delete("index", &index).await),
        kind(store.set_ttl("index", TTL).await),
        kind(store.delete("index").await),
        kind(store.insert(record("new", &index)).await),
        kind(store.index_put(entry("record", "a"), KEEP).await),
        kind(store.index_get("record", "a").await),
    ] {
        assert_eq!(answer, Some(StoreErrorKind::WrongType));
    }
    assert_eq!(backend.held("index").unwrap().value, index);
    assert_eq!(backend.held("record").unwrap().value, "{}");
    assert_eq!(backend.held("new"), None);
}

#[tokio::test(start_paused = true)]
async fn changes_that_lose_every_race_end() {
    use StoreErrorKind::{Contention, Timeout};

    for (hangs, expected) in [(false, Contention), (true, Timeout)] {
        let backend = Backend::default();
        let insert = backend.swap("key", None, Some((b"{}", TTL)));
        assert_eq!(insert.await, Ok(true));
        let store = CasStore::new(Backend {
            loses_every_race: true,
            hangs,
            ..backend
        });
        let record = NewRecord::new("key", b"{}", TTL);
        let since = Instant::now();
        for answer in [
            kind(store.compare_and_set(b"{}", record).await),
            kind(store.compare_and_delete("key", b"{}").await),
            kind(store.set_ttl("key", TTL).await),
            kind(store.delete("key").await),
            kind(store.index_put(entry("i", "a"), KEEP).await),
        ] {
            assert_eq!(answer, Some(expected));
        }
        assert!(since.elapsed() <= Duration::from_secs(26));
    }
}
