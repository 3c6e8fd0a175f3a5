//! Promises about index entries whose sessions are being deleted.

use super::harness::{Harness, NOW, TOMBSTONE};
use crate::store::types::SupersedeOutcome;

/// The end of the year 9999, in Unix seconds.
const FAR: i64 = 253_402_300_799;

pub(super) async fn all_entries_become_tombstones(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", FAR)]).await;
    assert_eq!(h.tombstone_all(&index, None).await, ["a", "b"], "{h}");
    assert_eq!(h.get(&index, "a").await, Some(TOMBSTONE), "{h}");
    let expected = [("a", TOMBSTONE), ("b", TOMBSTONE)];
    h.assert_entries(&index, &expected).await;
}

pub(super) async fn one_entry_can_be_kept(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", 2), ("c", 3)]).await;
    assert_eq!(h.tombstone_all(&index, Some("b")).await, ["a", "c"], "{h}");
    let expected = [("a", TOMBSTONE), ("b", 2), ("c", TOMBSTONE)];
    h.assert_entries(&index, &expected).await;
    let all = h.tombstone_all(&index, Some("unknown")).await;
    assert_eq!(all, ["a", "b", "c"], "{h}");
    assert_eq!(h.get(&index, "unknown").await, None, "{h}");
}

pub(super) async fn older_tombstones_are_returned(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", 2)]).await;
    h.tombstone_all(&index, None).await;
    h.put(&index, &[("c", 3)]).await;
    assert_eq!(h.tombstone_all(&index, Some("c")).await, ["a", "b"], "{h}");
    let all = h.tombstone_all(&index, Some("a")).await;
    assert_eq!(all, ["a", "b", "c"], "{h}");
}

pub(super) async fn tombstones_keep_their_time(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", 2), ("c", 3)]).await;
    h.supersede(&index, "a", "b").await;
    for later in [NOW + 5, NOW + 9] {
        h.ok(h.store.index_supersede(&index, "b", "c", later)).await;
        h.ok(h.store.index_tombstone_all(&index, Some("c"), later))
            .await;
    }
    let expected = [("a", TOMBSTONE), ("b", TOMBSTONE - 5), ("c", 3)];
    h.assert_entries(&index, &expected).await;
}

pub(super) async fn index_put_keeps_tombstones(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", 1)]).await;
    h.tombstone_all(&index, Some("b")).await;
    h.put(&index, &[("a", 0), ("a", FAR)]).await;
    h.assert_entries(&index, &[("a", TOMBSTONE), ("b", 1)])
        .await;
}

pub(super) async fn reactivation_ends_a_tombstone(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 5), ("b", 5), ("c", 5)]).await;
    h.tombstone_all(&index, Some("c")).await;
    for (member, check_after) in [("a", 3), ("c", 4), ("new", 7)] {
        h.reactivate(&index, member, check_after).await;
    }
    let expected = [("a", 3), ("b", TOMBSTONE), ("c", 5), ("new", 7)];
    h.assert_entries(&index, &expected).await;
}

pub(super) async fn tombstones_can_be_removed(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", 1)]).await;
    h.tombstone_all(&index, Some("b")).await;
    h.remove(&index, &["a"], None).await;
    h.assert_entries(&index, &[("b", 1)]).await;
    h.put(&index, &[("a", 2)]).await;
    h.assert_entries(&index, &[("a", 2), ("b", 1)]).await;
}

pub(super) async fn only_due_entries_are_removed(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 5), ("b", 9), ("c", 10), ("d", 1)])
        .await;
    h.tombstone_all(&index, Some("c")).await;
    h.put(&index, &[("e", 5), ("f", 9), ("g", 10), ("h", 1)])
        .await;
    for members in [&["a", "c", "e", "f", "g", "unknown"][..], &[]] {
        h.remove(&index, members, Some(9)).await;
    }
    let expected = [
        ("a", TOMBSTONE),
        ("b", TOMBSTONE),
        ("c", 10),
        ("d", TOMBSTONE),
        ("g", 10),
        ("h", 1),
    ];
    h.assert_entries(&index, &expected).await;
}

pub(super) async fn tombstones_are_not_due(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("a", 1), ("b", 2), ("c", 3)]).await;
    h.supersede(&index, "a", "b").await;
    assert_eq!(h.due(&index, i64::MAX, 2).await, ["b", "c"], "{h}");
}

pub(super) async fn supersede_sets_a_tombstone(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("old", 1), ("new", 2), ("other", 3)]).await;
    let outcome = h.supersede(&index, "old", "new").await;
    assert_eq!(outcome, SupersedeOutcome::Superseded, "{h}");
    let expected = [("new", 2), ("old", TOMBSTONE), ("other", 3)];
    h.assert_entries(&index, &expected).await;
    let outcome = h.supersede(&index, "new", "new").await;
    assert_eq!(outcome, SupersedeOutcome::Superseded, "{h}; by itself");
    assert_eq!(h.get(&index, "new").await, Some(TOMBSTONE), "{h}");
}

pub(super) async fn supersede_checks_the_old_entry_first(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("deleting", 1), ("new", 2)]).await;
    h.tombstone_all(&index, Some("new")).await;
    for old in ["deleting", "missing"] {
        for new in ["new", "deleting", "missing"] {
            let outcome = h.supersede(&index, old, new).await;
            assert_eq!(outcome, SupersedeOutcome::OldNotActive, "{h}");
        }
    }
    let expected = [("deleting", TOMBSTONE), ("new", 2)];
    h.assert_entries(&index, &expected).await;
}

pub(super) async fn supersede_checks_the_new_entry(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("deleting", 1), ("old", 2)]).await;
    h.tombstone_all(&index, Some("old")).await;
    for new in ["deleting", "missing"] {
        let outcome = h.supersede(&index, "old", new).await;
        assert_eq!(outcome, SupersedeOutcome::NewNotActive, "{h}");
    }
    let expected = [("deleting", TOMBSTONE), ("old", 2)];
    h.assert_entries(&index, &expected).await;
}
