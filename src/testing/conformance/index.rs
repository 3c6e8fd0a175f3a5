//! Promises about indexes and their active entries.

use super::harness::Harness;
use crate::store::types::SupersedeOutcome;

/// The end of the year 9999, in Unix seconds.
const FAR: i64 = 253_402_300_799;

pub(super) async fn absent_indexes_are_empty(h: Harness) {
    let index = h.key("index");
    h.assert_entries(&index, &[]).await;
    assert_eq!(h.get(&index, "a").await, None, "{h}");
    assert!(h.due(&index, i64::MAX, 9).await.is_empty(), "{h}");
    assert!(h.tombstone_all(&index, Some("a")).await.is_empty(), "{h}");
    let outcome = h.supersede(&index, "a", "b").await;
    assert_eq!(outcome, SupersedeOutcome::OldNotActive, "{h}");
    for due_by in [None, Some(9)] {
        h.remove(&index, &["a"], due_by).await;
        h.remove(&index, &[], due_by).await;
    }
    h.assert_entries(&index, &[]).await;
}

pub(super) async fn index_put_adds_and_raises(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 10), ("b", 20)]).await;
    h.assert_entries(&index, &[("a", 10), ("b", 20)]).await;
    h.put(&index, &[("a", 30), ("b", 20), ("b", 5)]).await;
    h.assert_entries(&index, &[("a", 30), ("b", 20)]).await;
}

pub(super) async fn check_times_are_exact(h: Harness) {
    let index = h.key("index");
    let entries = [("a", 5), ("b", 0), ("c", 1_700_000_001), ("d", FAR)];
    h.put(&index, &entries).await;
    h.assert_entries(&index, &entries).await;
}

pub(super) async fn index_get_finds_its_member(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("ab", 0), ("c", 2)]).await;
    for (member, expected) in [
        ("a", Some(1)),
        ("ab", Some(0)),
        ("c", Some(2)),
        ("b", None),
        ("", None),
    ] {
        assert_eq!(h.get(&index, member).await, expected, "{h}");
    }
}

pub(super) async fn index_remove_removes_its_members(h: Harness) {
    let index = h.key("index");
    let entries = [("a", 1), ("b", 2), ("c", 3)];
    h.put(&index, &entries).await;
    h.remove(&index, &[], None).await;
    h.remove(&index, &["unknown"], None).await;
    h.assert_entries(&index, &entries).await;
    h.remove(&index, &["a", "unknown", "c", "a"], None).await;
    h.assert_entries(&index, &[("b", 2)]).await;
    h.remove(&index, &["b"], None).await;
    h.assert_entries(&index, &[]).await;
    h.put(&index, &[("b", 1)]).await;
    h.assert_entries(&index, &[("b", 1)]).await;
}

pub(super) async fn due_entries_are_ordered_and_limited(h: Harness) {
    let index = h.key("index");
    let entries = [("e", 10), ("d", 20), ("c", 30), ("b", 40), ("a", 50)];
    h.put(&index, &entries).await;
    for (by, limit, expected) in [
        (9, 9, &[][..]),
        (10, 9, &["e"]),
        (35, 9, &["e", "d", "c"]),
        (50, 3, &["e", "d", "c"]),
        (i64::MAX, 1, &["e"]),
        (i64::MAX, usize::MAX, &["e", "d", "c", "b", "a"]),
        (50, 0, &[]),
    ] {
        assert_eq!(h.due(&index, by, limit).await, expected, "{h}");
    }
    h.assert_entries(&index, &entries).await;
}

pub(super) async fn index_keys_are_exact(h: Harness) {
    let keys = ["owner", "owner-1", "owner*", "own"].map(|name| h.key(name));
    for (key, check_after) in keys.iter().zip(1..) {
        h.put(key, &[("member", check_after)]).await;
    }
    h.tombstone_all(&keys[0], None).await;
    h.remove(&keys[3], &["member"], None).await;
    for (key, check_after) in keys[1..3].iter().zip(2..) {
        h.assert_entries(key, &[("member", check_after)]).await;
    }
}
