//! Promises about the provided methods, which a store may override.

use std::time::Duration;

use bytes::Bytes;

use super::harness::{Harness, LONG, TOMBSTONE};
use crate::store::types::{CompareOutcome, Due, InsertOutcome, NewEntry, NewRecord, StoredRecord};

const MINUTE: Duration = Duration::from_secs(60);

const fn entry<'a>(index: &'a str, member: &'a str, check_after: i64) -> NewEntry<'a> {
    NewEntry::new(index, member, check_after, LONG)
}

const fn record<'a>(key: &'a str, value: &'a [u8]) -> NewRecord<'a> {
    NewRecord::new(key, value, LONG)
}

pub(super) async fn empty_lists_are_no_errors(h: Harness) {
    let (index, key) = (&*h.key("index"), &*h.key("record"));
    assert_eq!(h.ok(h.store.load_many(&[])).await, [], "{h}");
    assert_eq!(
        h.ok(h.store.delete_indexed(&[], index, &[])).await,
        0,
        "{h}"
    );
    h.ok(h.store.index_refresh(index, &[], &[], 9)).await;
    let due = Some(Due { by: 9, limit: 9 });
    let outcome = h
        .ok(h.store.insert_indexed(&[], record(key, b""), due))
        .await;
    assert_eq!(outcome, InsertOutcome::inserted(Vec::new()), "{h}");
    h.assert_entries(index, &[]).await;
}

pub(super) async fn load_many_keeps_the_order(h: Harness) {
    let keys: Vec<_> = (0..300).map(|n| h.key(&n.to_string())).collect();
    for key in keys.iter().step_by(3) {
        h.insert(key, key.as_bytes()).await;
    }
    let mut keys: Vec<_> = keys.iter().map(String::as_str).collect();
    keys.push(keys[0]);
    let records = h.ok(h.store.load_many(&keys)).await;
    assert_eq!(records.len(), keys.len(), "{h}");
    for (at, record) in records.into_iter().enumerate() {
        let expected = (at % 3 == 0).then_some(keys[at].as_bytes());
        let record: Option<StoredRecord> = record;
        assert!(
            record.as_ref().is_none_or(|record| record.ttl.is_some()),
            "{h}"
        );
        let value = record.map(|record| record.value);
        assert_eq!(value.as_deref(), expected, "{h}; record {at}");
    }
}

pub(super) async fn load_and_set_ttl_does_both(h: Harness) {
    let key = &*h.key("record");
    let load = || h.ok(h.store.load_and_set_ttl(key, LONG));
    assert_eq!(load().await, None, "{h}");
    h.assert_absent(key).await;
    h.insert_for(MINUTE, key, b"value").await;
    let before = load().await.map(|before| (before.value, before.ttl));
    let (value, ttl) = before.unwrap_or_default();
    assert_eq!(value, "value", "{h}");
    assert!(ttl.is_some_and(|ttl| ttl <= MINUTE), "{h}");
    h.assert_ttl(key, LONG).await;
}

pub(super) async fn insert_indexed_inserts_and_lists(h: Harness) {
    let (index, other, key) = (&*h.key("index"), &*h.key("other"), &*h.key("record"));
    h.put(index, &[("x", 3), ("y", 9), ("z", 2)]).await;
    let entries = [entry(other, "old", 1), entry(index, "new", 5)];
    let due = Some(Due { by: 5, limit: 2 });
    let call = h.store.insert_indexed(&entries, record(key, b"value"), due);
    let InsertOutcome::Inserted { due } = h.ok(call).await else {
        panic!("{h}; it was not inserted");
    };
    let due: Vec<_> = due.iter().map(|entry| &*entry.member).collect();
    assert_eq!(due, ["z", "x"], "{h}");
    assert_eq!(h.value(key).await, "value", "{h}");
    h.assert_ttl(key, LONG).await;
    h.assert_entries(other, &[("old", 1)]).await;
    let expected = [("new", 5), ("x", 3), ("y", 9), ("z", 2)];
    h.assert_entries(index, &expected).await;
}

pub(super) async fn insert_indexed_keeps_a_record(h: Harness) {
    let (index, key) = (&*h.key("index"), &*h.key("record"));
    h.insert_for(MINUTE, key, b"first").await;
    let (entries, second) = ([entry(index, "a", 5)], record(key, b"second"));
    let call = h.store.insert_indexed(&entries, second, None);
    assert_eq!(h.ok(call).await, InsertOutcome::KeyTaken, "{h}");
    assert_eq!(h.value(key).await, "first", "{h}");
    h.assert_ttl(key, MINUTE).await;
}

pub(super) async fn insert_indexed_sees_a_tombstone(h: Harness) {
    let (index, key) = (&*h.key("index"), &*h.key("record"));
    h.put(index, &[("a", 1)]).await;
    h.tombstone_all(index, None).await;
    let entries = [entry(index, "b", 5), entry(index, "a", 5)];
    let due = Some(Due { by: 9, limit: 9 });
    let call = h.store.insert_indexed(&entries, record(key, b"value"), due);
    assert_eq!(h.ok(call).await, InsertOutcome::EntryLost, "{h}");
    assert_eq!(h.value(key).await, "value", "{h}; it was inserted");
    h.assert_entries(index, &[("a", TOMBSTONE), ("b", 5)]).await;
}

pub(super) async fn compare_and_set_indexed_does_both(h: Harness) {
    let (index, key) = (&*h.key("index"), &*h.key("record"));
    let set = async |check_after, expected: &'static str| {
        let (entry, record) = (entry(index, "a", check_after), record(key, b"two"));
        let call = h
            .store
            .compare_and_set_indexed(entry, expected.as_bytes(), record);
        h.ok(call).await
    };
    assert_eq!(set(1, "one").await, CompareOutcome::Missing, "{h}");
    h.assert_absent(key).await;
    h.insert_for(MINUTE, key, b"one").await;
    let mismatch = CompareOutcome::Mismatch(Bytes::from_static(b"one"));
    assert_eq!(set(2, "other").await, mismatch, "{h}");
    h.assert_ttl(key, MINUTE).await;
    assert_eq!(set(3, "one").await, CompareOutcome::Applied, "{h}");
    assert_eq!(h.value(key).await, "two", "{h}");
    h.assert_ttl(key, LONG).await;
    h.assert_entries(index, &[("a", 3)]).await;
}

pub(super) async fn set_ttl_indexed_does_both(h: Harness) {
    let (index, key) = (&*h.key("index"), &*h.key("record"));
    let set = |check_after| {
        let entry = entry(index, "a", check_after);
        h.ok(h.store.set_ttl_indexed(entry, key, LONG))
    };
    assert!(!set(1).await, "{h}");
    h.assert_absent(key).await;
    h.insert_for(MINUTE, key, b"value").await;
    assert!(set(3).await, "{h}");
    h.assert_ttl(key, LONG).await;
    assert_eq!(h.value(key).await, "value", "{h}");
    h.assert_entries(index, &[("a", 3)]).await;
}

pub(super) async fn refreshes_keep_tombstones(h: Harness) {
    let (index, key) = (&*h.key("index"), &*h.key("record"));
    h.put(index, &[("a", 1)]).await;
    h.insert(key, b"value").await;
    h.tombstone_all(index, None).await;
    let (a, record) = (entry(index, "a", 9), record(key, b"value"));
    let call = h.store.compare_and_set_indexed(a, b"value", record);
    assert_eq!(h.ok(call).await, CompareOutcome::Applied, "{h}");
    assert!(h.ok(h.store.set_ttl_indexed(a, key, LONG)).await, "{h}");
    h.ok(h.store.index_refresh(index, &[a], &[], 9)).await;
    h.assert_entries(index, &[("a", TOMBSTONE)]).await;
}

pub(super) async fn delete_indexed_deletes_and_counts(h: Harness) {
    let (index, kept) = (&*h.key("index"), &*h.key("kept"));
    let keys: Vec<_> = (0..20).map(|n| h.key(&n.to_string())).collect();
    for key in keys.iter().step_by(2).map(String::as_str).chain([kept]) {
        h.insert(key, b"value").await;
    }
    h.put(index, &[("a", 1), ("b", 2)]).await;
    h.tombstone_all(index, Some("b")).await;
    h.put(index, &[("c", 3)]).await;
    let keys: Vec<_> = keys.iter().map(String::as_str).collect();
    let delete = || h.store.delete_indexed(&keys, index, &["a", "c", "unknown"]);
    assert_eq!(h.ok(delete()).await, 10, "{h}");
    assert_eq!(h.ok(delete()).await, 0, "{h}");
    h.assert_entries(index, &[("b", 2)]).await;
    assert_eq!(h.load(keys[0]).await, None, "{h}");
    assert_eq!(h.value(kept).await, "value", "{h}");
    assert_eq!(
        h.ok(h.store.delete_indexed(&[kept], index, &[])).await,
        1,
        "{h}"
    );
    h.assert_entries(index, &[("b", 2)]).await;
}

pub(super) async fn index_refresh_puts_and_removes(h: Harness) {
    let index = &*h.key("index");
    h.put(index, &[("a", 1), ("b", 2), ("c", 9), ("t", 1)])
        .await;
    h.supersede(index, "t", "a").await;
    let live = [entry(index, "a", 20), entry(index, "new", 30)];
    let dead = ["a", "b", "c", "t", "unknown"];
    h.ok(h.store.index_refresh(index, &live, &dead, 5)).await;
    let expected = [("a", 20), ("c", 9), ("new", 30), ("t", TOMBSTONE)];
    h.assert_entries(index, &expected).await;
}
