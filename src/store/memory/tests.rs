//! Tests of what the conformance suite cannot see of a memory store.

use std::time::{Duration, SystemTime};

use super::MemoryStore;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::store::contract::Store;
use crate::store::error::StoreErrorKind::{Full, WrongType};
use crate::store::types::{NewEntry, NewRecord, PutMode};

const MILLI: Duration = Duration::from_millis(1);

/// Returns an empty store, and its clock.
fn at_zero(max_records: usize) -> (MemoryStore, ManualClock) {
    let clock = ManualClock::at(0);
    let store = MemoryStore::new().with_clock(clock.clone());
    (store.with_capacity(max_records), clock)
}

#[tokio::test]
async fn expired_values_stay_a_fraction_of_the_live_ones() {
    let (store, clock) = at_zero(usize::MAX);
    for now in 0..10_000 {
        let key = now.to_string();
        let record = NewRecord::new(&key, b"", 100 * MILLI);
        assert_eq!(store.insert(record).await, Ok(true));
        clock.advance(MILLI);
    }
    let count = store.contents.lock().unwrap().values.len();
    assert!(count <= 200, "{count}");
}

#[tokio::test]
async fn a_full_store_removes_expired_values_before_it_rejects() {
    let (store, clock) = at_zero(2);
    for (at, key, ttl, expected) in [
        (0, "short", 10, Ok(true)),
        (0, "long", 1000, Ok(true)),
        (9, "new", 1, Err(Full)),
        (9, "long", 1, Ok(false)),
        (10, "new", 10, Ok(true)),
        (19, "newer", 1, Err(Full)),
        (20, "newer", 1, Ok(true)),
    ] {
        clock.set(0);
        clock.advance(at * MILLI);
        let inserted = store.insert(NewRecord::new(key, b"", ttl * MILLI)).await;
        let inserted = inserted.map_err(|error| error.kind());
        assert_eq!(inserted, expected, "{key} at {at} ms");
    }
    assert_eq!(store.len(), 2);
}

#[tokio::test]
async fn a_full_store_removes_a_record_whose_life_was_shortened() {
    let (store, clock) = at_zero(1);
    let record = |key| NewRecord::new(key, b"", 9 * MILLI);
    assert_eq!(store.insert(record("a")).await, Ok(true));
    assert_eq!(store.set_ttl("a", MILLI).await, Ok(true));
    clock.advance(MILLI);
    assert_eq!(store.insert(record("b")).await, Ok(true));
}

#[tokio::test]
async fn index_entries_are_bounded() {
    let (store, _) = at_zero(1);
    let put = async |member| {
        let entry = NewEntry::new("index", member, 1, MILLI);
        let put = store.index_put(entry, PutMode::KeepTombstone).await;
        put.map_err(|error| error.kind())
    };
    for member in ["a", "b", "b"] {
        assert_eq!(put(member).await, Ok(()));
    }
    assert_eq!(put("c").await, Err(Full));
    store.index_remove("index", &["a"], None).await.unwrap();
    assert_eq!(put("c").await, Ok(()));
    let all = store.index_remove("index", &["b", "c"], None);
    all.await.unwrap();
    let is_gone = store.contents.lock().unwrap().values.is_empty();
    assert!(is_gone, "an empty index is removed");
}

#[tokio::test]
async fn a_ttl_is_at_least_a_millisecond_and_never_overflows() {
    let (store, _) = at_zero(9);
    for (key, ttl) in [("a", Duration::ZERO), ("b", Duration::MAX)] {
        store.insert(NewRecord::new(key, b"", ttl)).await.unwrap();
        assert!(store.load(key).await.unwrap().unwrap().ttl >= Some(MILLI));
    }
}

#[tokio::test]
async fn a_touch_does_not_copy_the_value() {
    let (store, _) = at_zero(9);
    store
        .insert(NewRecord::new("a", b"{}", MILLI))
        .await
        .unwrap();
    let before = store.load("a").await.unwrap().unwrap();
    assert_eq!(store.set_ttl("a", 5 * MILLI).await, Ok(true));
    let after = store.load("a").await.unwrap().unwrap();
    assert_eq!(after.ttl, Some(5 * MILLI));
    assert_eq!(after.value.as_ptr(), before.value.as_ptr());
}

#[tokio::test]
async fn an_index_is_not_a_record_and_a_record_is_not_an_index() {
    let (store, _) = at_zero(9);
    let entry = NewEntry::new("index", "a", 1, MILLI);
    let put = store.index_put(entry, PutMode::KeepTombstone).await;
    put.unwrap();
    let record = |key| NewRecord::new(key, b"{}", MILLI);
    store.insert(record("record")).await.unwrap();
    for error in [
        store.insert(record("index")).await.unwrap_err(),
        store.delete("index").await.unwrap_err(),
        store.load_many(&["record", "index"]).await.unwrap_err(),
        store.index_get("record", "a").await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), WrongType);
    }
}

#[tokio::test]
async fn a_panic_under_the_lock_does_not_spread() {
    #[derive(Debug)]
    struct Broken;
    impl Clock for Broken {
        fn now(&self) -> SystemTime {
            panic!("on purpose")
        }
    }
    let store = MemoryStore::new().with_clock(Broken);
    let clone = store.clone();
    assert!(std::thread::spawn(move || clone.len()).join().is_err());
    let store = store.with_clock(SystemClock);
    assert_eq!(store.load("a").await, Ok(None));
}
