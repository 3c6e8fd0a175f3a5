//! Promises about records.

use super::harness::{Harness, LONG, MINUTE, NOW};
use crate::store::error::{Result, StoreErrorKind};
use crate::store::types::CompareOutcome::{self, Applied, Missing};
use crate::store::types::{NewEntry, NewRecord, PutMode};

fn mismatch(held: impl AsRef<[u8]>) -> CompareOutcome {
    CompareOutcome::Mismatch(held.as_ref().to_vec().into())
}

pub(super) async fn absence_is_not_an_error(h: Harness) {
    h.ok(h.store.ping()).await;
    h.assert_absent().await;
}

pub(super) async fn insert_and_delete_happen_once(h: Harness) {
    h.assert_eq(h.insert("first").await, true);
    h.assert_eq(h.insert("second").await, false);
    h.assert_value("first").await;
    h.assert_eq(h.delete().await, true);
    h.assert_absent().await;
    h.assert_eq(h.insert("new").await, true);
    h.assert_value("new").await;
}

pub(super) async fn only_equal_bytes_are_replaced(h: Harness) {
    h.insert("a longer value").await;
    h.assert_eq(h.set("a longer value", "two").await, Applied);
    h.assert_value("two").await;
    for expected in ["a longer value", "", "tw", "two ", "TWO"] {
        h.assert_eq(h.set(expected, "three").await, mismatch("two"));
        h.assert_eq(h.delete_if(expected).await, mismatch("two"));
    }
    h.assert_value("two").await;
    h.assert_eq(h.set("two", "two").await, Applied);
    h.assert_eq(h.delete_if("two").await, Applied);
    h.assert_eq(h.load().await, None);
}

pub(super) async fn values_are_any_bytes(h: Harness) {
    let megabyte: Vec<u8> = (0..=255).cycle().take(1 << 20).collect();
    for value in [
        b"".as_slice(),
        b"\0",
        b"a\0b\r\n",
        &[0xff, 0xfe, 0x80],
        b"%s {} \"'\\",
        &megabyte,
    ] {
        h.insert(value).await;
        h.assert_value(value).await;
        h.assert_eq(h.set(value, "other").await, Applied);
        h.assert_eq(h.set("other", value).await, Applied);
        h.assert_value(value).await;
        h.assert_eq(h.set("no", "").await, mismatch(value));
        h.assert_eq(h.delete_if(value).await, Applied);
    }
}

pub(super) async fn keys_are_exact(h: Harness) {
    let [a, deleted, rest @ ..] = ["a", "a*", "ab", "a:b", "a?", "A"].map(|name| h.named(name));
    for named in [&h, &a, &deleted].into_iter().chain(&rest) {
        h.assert_eq(named.insert(&named.key).await, true);
        named.put(&[("member", 7)]).await;
    }
    a.set(&a.key, "changed").await;
    a.tombstone_all(None).await;
    deleted.delete().await;
    deleted.remove(&["member"], None).await;
    h.assert_eq(deleted.load().await, None);
    a.assert_value("changed").await;
    for named in [&h].into_iter().chain(&rest) {
        named.assert_value(&named.key).await;
        named.assert_entries(&[("member", 7)]).await;
    }
}

pub(super) async fn calls_see_earlier_calls(h: Harness) {
    h.insert("0").await;
    for n in 0..50 {
        let next = (n + 1).to_string();
        h.assert_eq(h.set(n.to_string(), &next).await, Applied);
        h.assert_value(next).await;
    }
}

pub(super) async fn redirects_are_left_alone(h: Harness) {
    const REDIRECT: &str = "->to 1700000000000";
    for value in [REDIRECT, "->"] {
        h.insert_for(MINUTE, value).await;
        h.assert_eq(h.set_ttl(LONG).await, false);
        h.assert_eq(h.delete().await, false);
        for prefix in [&b""[..], b"{", b"->"] {
            let set = h.store.set_ttl_if(&h.key, prefix, LONG);
            h.assert_eq(h.ok(set).await, Missing);
            let entry = h.entry("member", 7);
            let set = h.store.set_ttl_indexed(entry, &h.key, prefix, LONG);
            h.assert_eq(h.ok(set).await, Missing);
        }
        let keys = [&*h.key];
        let delete = h.store.delete_indexed(&keys, &h.index, &["member"]);
        h.assert_eq(h.ok(delete).await, 0);
        h.assert_entries(&[]).await;
        h.assert_value(value).await;
        h.assert_ttl(MINUTE).await;
        h.assert_eq(h.delete_if(value).await, Applied);
    }
    h.insert(REDIRECT).await;
    h.assert_eq(h.insert("new").await, false);
    h.assert_eq(h.set("old", "new").await, mismatch(REDIRECT));
    h.assert_eq(h.set(REDIRECT, "-").await, Applied);
    h.assert_eq(h.set_ttl(MINUTE).await, true);
    h.assert_eq(h.delete().await, true);
}

/// Asserts that a call either found nothing or reported data of another type.
fn assert_rejected<T: PartialEq>(h: &Harness, answer: Result<T>, nothing: &T) {
    let is_rejected = match answer {
        Ok(answer) => answer == *nothing,
        Err(error) => error.kind() == StoreErrorKind::WrongType,
    };
    assert!(is_rejected, "{h}");
}

pub(super) async fn records_and_indexes_are_separate(h: Harness) {
    let (s, key, index) = (&h.store, &*h.key, &*h.index);
    h.put(&[("member", 7)]).await;
    h.insert("value").await;
    assert_rejected(&h, s.load(index).await, &None);
    let many = s.load_many(&[key, index]).await;
    assert_rejected(&h, many.map(|mut records| records.pop()), &Some(None));
    let set = s.set_ttl_if(index, b"value", LONG).await;
    assert_rejected(&h, set, &Missing);
    let as_record = NewRecord::new(index, b"value", LONG);
    let set = s.compare_and_set(b"", as_record).await;
    assert_rejected(&h, set, &Missing);
    let deleted = s.compare_and_delete(index, b"").await;
    assert_rejected(&h, deleted, &Missing);
    h.assert_entries(&[("member", 7)]).await;

    assert_rejected(&h, s.index_get(key, "member").await, &None);
    let tombstones = s.index_tombstone_all(key, None, NOW).await;
    assert_rejected(&h, tombstones, &());
    assert_rejected(&h, s.index_remove(key, &["member"], None).await, &());
    let as_index = NewEntry::new(key, "member", 5, LONG);
    let put = s.index_put(as_index, PutMode::KeepTombstone).await;
    assert_rejected(&h, put, &());
    h.assert_value("value").await;
}
