//! Promises about records.

use super::harness::{Harness, LONG, NOW};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::types::{CompareOutcome, NewEntry, NewRecord, PutMode};

pub(super) async fn the_store_can_be_reached(h: Harness) {
    h.ok(h.store.ping()).await;
}

pub(super) async fn absence_is_not_an_error(h: Harness) {
    h.assert_absent(&h.key("never-written")).await;
}

pub(super) async fn insert_writes_once(h: Harness) {
    let key = h.key("record");
    assert!(h.insert(&key, b"first").await, "{h}");
    assert!(!h.insert(&key, b"second").await, "{h}");
    assert_eq!(h.value(&key).await, "first", "{h}");
}

pub(super) async fn delete_reports_existence(h: Harness) {
    let key = h.key("record");
    h.insert(&key, b"value").await;
    assert!(h.delete(&key).await, "{h}");
    assert!(!h.delete(&key).await, "{h}");
    assert_eq!(h.load(&key).await, None, "{h}");
}

pub(super) async fn deleted_records_are_absent(h: Harness) {
    let key = h.key("record");
    h.insert(&key, b"value").await;
    h.delete(&key).await;
    h.assert_absent(&key).await;
    assert!(h.insert(&key, b"new").await, "{h}");
    assert_eq!(h.value(&key).await, "new", "{h}");
}

pub(super) async fn compare_and_set_compares(h: Harness) {
    let key = h.key("record");
    h.insert(&key, b"a longer value").await;
    let outcome = h.set(&key, b"a longer value", b"two").await;
    assert_eq!(outcome, CompareOutcome::Applied, "{h}");
    assert_eq!(h.value(&key).await, "two", "{h}");
    let two = CompareOutcome::Mismatch("two".into());
    for expected in ["a longer value", "", "tw", "two ", "TWO"] {
        let outcome = h.set(&key, expected.as_bytes(), b"three").await;
        assert_eq!(outcome, two, "{h}; it expected {expected:?}");
    }
    assert_eq!(h.value(&key).await, "two", "{h}");
    let outcome = h.set(&key, b"two", b"two").await;
    assert_eq!(outcome, CompareOutcome::Applied, "{h}; even if equal");
}

pub(super) async fn compare_and_delete_compares(h: Harness) {
    let key = h.key("record");
    h.insert(&key, b"one").await;
    let one = CompareOutcome::Mismatch("one".into());
    for expected in ["", "on", "one ", "two"] {
        let outcome = h.delete_if(&key, expected.as_bytes()).await;
        assert_eq!(outcome, one, "{h}; it expected {expected:?}");
    }
    assert_eq!(h.value(&key).await, "one", "{h}");
    let outcome = h.delete_if(&key, b"one").await;
    assert_eq!(outcome, CompareOutcome::Applied, "{h}");
    assert_eq!(h.load(&key).await, None, "{h}");
}

pub(super) async fn values_are_any_bytes(h: Harness) {
    let megabyte: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    let values: [&[u8]; 6] = [
        b"",
        b"\0",
        b"a\0b\r\n",
        &[0xff, 0xfe, 0x80],
        b"%s {} \"'\\",
        &megabyte,
    ];
    for (at, value) in values.into_iter().enumerate() {
        let key = h.key(&format!("record-{at}"));
        h.insert(&key, value).await;
        assert!(h.value(&key).await == value, "{h}; value {at}");
        let mut outcomes = vec![h.set(&key, value, b"other").await];
        outcomes.push(h.set(&key, b"other", value).await);
        assert!(h.value(&key).await == value, "{h}; value {at}");
        let mismatch = CompareOutcome::Mismatch(value.to_vec().into());
        assert_eq!(h.set(&key, b"no", b"").await, mismatch, "{h}; value {at}");
        outcomes.push(h.delete_if(&key, value).await);
        let applied = |outcome: &CompareOutcome| *outcome == CompareOutcome::Applied;
        assert!(outcomes.iter().all(applied), "{h}; value {at}");
    }
}

pub(super) async fn record_keys_are_exact(h: Harness) {
    let keys = ["a", "ab", "a:b", "a*", "a?", "A"].map(|name| h.key(name));
    for key in &keys {
        assert!(h.insert(key, key.as_bytes()).await, "{h}");
    }
    h.set(&keys[0], keys[0].as_bytes(), b"changed").await;
    h.delete(&keys[3]).await;
    assert_eq!(h.load(&keys[3]).await, None, "{h}");
    assert_eq!(h.value(&keys[0]).await, "changed", "{h}");
    for at in [1, 2, 4, 5] {
        assert_eq!(h.value(&keys[at]).await, keys[at], "{h}");
    }
}

pub(super) async fn calls_see_earlier_calls(h: Harness) {
    let key = h.key("record");
    h.insert(&key, b"0").await;
    for n in 0..50 {
        let (old, new) = (n.to_string(), (n + 1).to_string());
        let outcome = h.set(&key, old.as_bytes(), new.as_bytes()).await;
        assert_eq!(outcome, CompareOutcome::Applied, "{h}");
        assert_eq!(h.value(&key).await, new, "{h}");
    }
}

/// Asserts that a call either found nothing or reported data of another type.
fn assert_refused<T: PartialEq>(h: &Harness, answer: Result<T, StoreError>, nothing: &T) {
    let is_refused = match answer {
        Ok(answer) => answer == *nothing,
        Err(error) => error.kind() == StoreErrorKind::WrongType,
    };
    assert!(is_refused, "{h}");
}

pub(super) async fn an_index_is_not_a_record(h: Harness) {
    let (s, index, other) = (&h.store, &*h.key("index"), &*h.key("other"));
    h.put(index, &[("member", 7)]).await;
    h.insert(other, b"value").await;
    assert_refused(&h, s.load(index).await, &None);
    let many = s.load_many(&[other, index]).await;
    assert_refused(&h, many.map(|mut records| records.pop()), &Some(None));
    assert_refused(&h, s.load_and_set_ttl(index, LONG).await, &None);
    let record = NewRecord::new(index, b"value", LONG);
    let set = s.compare_and_set(b"", record).await;
    assert_refused(&h, set, &CompareOutcome::Missing);
    let deleted = s.compare_and_delete(index, b"").await;
    assert_refused(&h, deleted, &CompareOutcome::Missing);
    h.assert_entries(index, &[("member", 7)]).await;
}

pub(super) async fn a_record_is_not_an_index(h: Harness) {
    let (s, key) = (&h.store, &*h.key("record"));
    h.insert(key, b"value").await;
    assert_refused(&h, s.index_get(key, "member").await, &None);
    let tombstones = s.index_tombstone_all(key, None, NOW).await;
    assert_refused(&h, tombstones, &Vec::new());
    assert_refused(&h, s.index_remove(key, &["member"], None).await, &());
    let entry = NewEntry::new(key, "member", 5, LONG);
    let put = s.index_put(entry, PutMode::KeepTombstone).await;
    assert_refused(&h, put, &());
    assert_eq!(h.value(key).await, "value", "{h}");
}
