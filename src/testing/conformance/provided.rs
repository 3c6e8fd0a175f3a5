//! Promises about the provided methods, which a store may override.

use super::harness::{Harness, LONG, MINUTE, SUPERSEDED, TOMBSTONE};
use crate::store::types::CompareOutcome::{Applied, Mismatch, Missing};
use crate::store::types::{Due, InsertOutcome, NewRecord};

pub(super) async fn empty_lists_are_no_errors(h: Harness) {
    h.assert_eq(h.ok(h.store.load_many(&[])).await, []);
    let deleted = h.store.delete_indexed(&[], &h.index, &[]);
    h.assert_eq(h.ok(deleted).await, 0);
    h.ok(h.store.index_refresh(&h.index, &[], &[], 9)).await;
    let due = Some(Due { by: 9, limit: 9 });
    let inserted = h.store.insert_indexed(&[], h.record(b""), due);
    let nothing = InsertOutcome::Inserted { due: Vec::new() };
    h.assert_eq(h.ok(inserted).await, nothing);
    h.assert_entries(&[]).await;
}

pub(super) async fn load_many_keeps_the_order(h: Harness) {
    let records: Vec<_> = (0..300).map(|n| h.named(&n.to_string())).collect();
    for record in records.iter().step_by(3) {
        record.insert(&record.key).await;
    }
    let mut keys: Vec<_> = records.iter().map(|record| &*record.key).collect();
    keys.push(keys[0]);
    let loaded = h.ok(h.store.load_many(&keys)).await;
    h.assert_eq(loaded.len(), keys.len());
    for (at, record) in loaded.into_iter().enumerate() {
        let expected = (at % 3 == 0).then_some(keys[at].as_bytes());
        let value = record.as_ref().map(|record| &*record.value);
        assert_eq!(value, expected, "{h}; record {at}");
        let has_ttl = record.is_none_or(|record| record.ttl.is_some());
        assert!(has_ttl, "{h}; record {at}");
    }
}

pub(super) async fn insert_indexed_inserts_and_lists(h: Harness) {
    let other = h.named("other");
    h.put(&[("x", 3), ("y", 9), ("z", 2)]).await;
    let entries = [other.entry("old", 1), h.entry("new", 5)];
    let due = Some(Due { by: 5, limit: 2 });
    let call = h.store.insert_indexed(&entries, h.record(b"value"), due);
    let InsertOutcome::Inserted { due } = h.ok(call).await else {
        panic!("{h}; it was not inserted");
    };
    let due: Vec<_> = due.iter().map(|entry| &*entry.member).collect();
    h.assert_eq(due, ["z", "x"]);
    h.assert_value("value").await;
    h.assert_ttl(LONG).await;
    other.assert_entries(&[("old", 1)]).await;
    h.assert_entries(&[("new", 5), ("x", 3), ("y", 9), ("z", 2)])
        .await;
    let second = NewRecord::new(&h.key, b"second", MINUTE);
    let call = h.store.insert_indexed(&entries, second, None);
    h.assert_eq(h.ok(call).await, InsertOutcome::KeyTaken);
    h.assert_value("value").await;
    h.assert_ttl(LONG).await;
}

pub(super) async fn insert_indexed_sees_a_tombstone(h: Harness) {
    h.put(&[("a", 1)]).await;
    h.tombstone_all(None).await;
    let entries = [h.entry("b", 5), h.entry("a", 5)];
    let due = Some(Due { by: 9, limit: 9 });
    let call = h.store.insert_indexed(&entries, h.record(b"value"), due);
    h.assert_eq(h.ok(call).await, InsertOutcome::EntryLost);
    h.assert_value("value").await;
    h.assert_entries(&[("a", TOMBSTONE), ("b", 5)]).await;
}

pub(super) async fn compare_and_set_indexed_does_both(h: Harness) {
    let set = async |check_after, expected: &'static str| {
        let (entry, expected) = (h.entry("a", check_after), expected.as_bytes());
        let record = h.record(b"two");
        h.ok(h.store.compare_and_set_indexed(entry, expected, record))
            .await
    };
    h.assert_eq(set(1, "one").await, Missing);
    h.assert_absent().await;
    h.insert_for(MINUTE, "one").await;
    h.assert_eq(set(2, "other").await, Mismatch("one".into()));
    h.assert_ttl(MINUTE).await;
    h.assert_eq(set(3, "one").await, Applied);
    h.assert_value("two").await;
    h.assert_ttl(LONG).await;
    h.assert_entries(&[("a", 3)]).await;
    h.tombstone_all(None).await;
    h.assert_eq(set(4, "two").await, Applied);
    h.assert_entries(&[("a", TOMBSTONE)]).await;
}

pub(super) async fn set_ttl_indexed_does_both(h: Harness) {
    let set = async |check_after, prefix: &'static str| {
        let (entry, prefix) = (h.entry("a", check_after), prefix.as_bytes());
        h.ok(h.store.set_ttl_indexed(entry, &h.key, prefix, LONG))
            .await
    };
    h.assert_eq(set(1, "val").await, Missing);
    h.assert_absent().await;
    h.insert_for(MINUTE, "value").await;
    h.assert_eq(set(2, "vol").await, Mismatch("value".into()));
    h.assert_ttl(MINUTE).await;
    h.assert_eq(set(3, "val").await, Applied);
    h.assert_ttl(LONG).await;
    h.assert_value("value").await;
    h.assert_entries(&[("a", 3)]).await;
    h.tombstone_all(None).await;
    h.assert_eq(set(4, "val").await, Applied);
    h.assert_entries(&[("a", TOMBSTONE)]).await;
}

pub(super) async fn delete_indexed_deletes_and_counts(h: Harness) {
    let records: Vec<_> = (0..20).map(|n| h.named(&n.to_string())).collect();
    for record in records.iter().step_by(2).chain([&h]) {
        record.insert("value").await;
    }
    h.put(&[("a", 1), ("b", 2)]).await;
    h.tombstone_all(Some("b")).await;
    h.put(&[("c", 3)]).await;
    let keys: Vec<_> = records.iter().map(|record| &*record.key).collect();
    for count in [10, 0] {
        let members = ["a", "c", "unknown"];
        let deleted = h.store.delete_indexed(&keys, &h.index, &members);
        h.assert_eq(h.ok(deleted).await, count);
    }
    h.assert_entries(&[("b", 2)]).await;
    h.assert_eq(records[0].load().await, None);
    h.assert_value("value").await;
    let keys = [&*h.key];
    let deleted = h.store.delete_indexed(&keys, &h.index, &[]);
    h.assert_eq(h.ok(deleted).await, 1);
    h.assert_entries(&[("b", 2)]).await;
}

pub(super) async fn index_refresh_puts_and_removes(h: Harness) {
    h.put(&[("a", 1), ("b", 2), ("c", 9), ("t", 1)]).await;
    h.supersede("t", "a").await;
    let live = [h.entry("a", 20), h.entry("new", 30), h.entry("t", 40)];
    let dead = ["a", "b", "c", "t", "unknown"];
    h.ok(h.store.index_refresh(&h.index, &live, &dead, 5)).await;
    h.assert_entries(&[("a", 20), ("c", 9), ("new", 30), ("t", SUPERSEDED)])
        .await;
}
