//! Promises about index entries and tombstones.

use std::collections::BTreeSet;

use super::harness::{Harness, NOW, SUPERSEDED, TOMBSTONE};
use crate::store::types::PutMode;
use crate::store::types::SupersedeOutcome::{NewNotActive, OldNotActive, Superseded};

/// The end of the year 9999, in Unix seconds.
const FAR: i64 = 253_402_300_799;

const NONE: [&str; 0] = [];

pub(super) async fn absent_indexes_are_empty(h: Harness) {
    h.assert_entries(&[]).await;
    h.assert_eq(h.get("a").await, None);
    h.assert_eq(h.due(i64::MAX, 9).await, NONE);
    h.tombstone_all(Some("a")).await;
    h.assert_eq(h.supersede("a", "b").await, OldNotActive);
    for due_by in [None, Some(9)] {
        h.remove(&["a"], due_by).await;
        h.remove(&[], due_by).await;
    }
    h.assert_entries(&[]).await;
}

pub(super) async fn index_put_adds_and_raises(h: Harness) {
    let entries = [("a", 5), ("ab", 0), ("c", 1_700_000_001), ("d", FAR)];
    h.put(&entries).await;
    h.assert_entries(&entries).await;
    h.put(&[("a", 30), ("c", 1_700_000_001), ("d", 5)]).await;
    let raised = [("a", 30), ("ab", 0), ("c", 1_700_000_001), ("d", FAR)];
    h.assert_entries(&raised).await;
    for (member, expected) in [("a", Some(30)), ("ab", Some(0)), ("b", None), ("", None)] {
        h.assert_eq(h.get(member).await, expected);
    }
}

pub(super) async fn index_remove_removes_its_members(h: Harness) {
    let entries = [("a", 1), ("b", 2), ("c", 3)];
    h.put(&entries).await;
    h.remove(&[], None).await;
    h.remove(&["unknown"], None).await;
    h.assert_entries(&entries).await;
    h.remove(&["a", "unknown", "c", "a"], None).await;
    h.assert_entries(&[("b", 2)]).await;
    h.tombstone_all(None).await;
    h.remove(&["b"], None).await;
    h.put(&[("b", 1)]).await;
    h.assert_entries(&[("b", 1)]).await;
}

pub(super) async fn due_entries_are_ordered_and_limited(h: Harness) {
    let entries = [("e", 10), ("d", 20), ("c", 30), ("b", 40), ("a", 50)];
    h.put(&entries).await;
    for (by, limit, expected) in [
        (9, 9, &[][..]),
        (10, 9, &["e"]),
        (35, 9, &["e", "d", "c"]),
        (50, 3, &["e", "d", "c"]),
        (i64::MAX, 1, &["e"]),
        (i64::MAX, usize::MAX, &["e", "d", "c", "b", "a"]),
        (50, 0, &[]),
    ] {
        h.assert_eq(h.due(by, limit).await, expected);
    }
    h.supersede("e", "d").await;
    h.assert_eq(h.due(i64::MAX, 2).await, ["d", "c"]);
}

/// Ids that Redis stores as text and as bytes, with the same few scores.
const PAGED: [(&str, i64); 9] = [
    ("b", 5),
    ("AAAAAAAAAAAAAAAAAAAAAA", 5),
    ("a", 5),
    ("_____________________w", 5),
    ("c", 5),
    ("ab", 9),
    ("Zm9ybWF0Lm1kIHZlY3Rvcg", 9),
    ("d", 0),
    ("e", FAR),
];

pub(super) async fn pages_are_ordered_and_complete(h: Harness) {
    h.assert_eq(h.walk(None, false, 3).await, Vec::new());
    h.put(&[("x", 1), ("y", 2)]).await;
    h.tombstone_all(None).await;
    h.put(&PAGED).await;
    let ordered = h.walk(None, false, 100).await;
    let scores = ordered.iter().map(|entry| entry.state.score());
    let expected = [TOMBSTONE, TOMBSTONE, 0, 5, 5, 5, 5, 5, 9, 9, FAR];
    h.assert_eq(scores.collect::<Vec<_>>(), expected);
    let members: BTreeSet<_> = ordered.iter().map(|entry| &entry.member).collect();
    h.assert_eq(members.len(), expected.len());
    let reversed: Vec<_> = ordered.iter().rev().cloned().collect();
    for limit in [1, 2, 3, 10, 11, 12, usize::MAX] {
        h.assert_eq(h.walk(None, false, limit).await, &*ordered);
        h.assert_eq(h.walk(None, true, limit).await, &*reversed);
    }
}

pub(super) async fn pages_continue_behind_an_entry_that_is_gone(h: Harness) {
    h.put(&PAGED).await;
    let mut ordered = h.walk(None, false, 100).await;
    while let Some(place) = ordered.len().checked_sub(1).map(|last| last / 2) {
        let gone = ordered.remove(place);
        if place % 2 == 0 {
            h.remove(&[&gone.member], None).await;
        } else {
            // It moves to the end.
            h.put(&[(&gone.member, FAR + 1)]).await;
        }
        let behind = h.walk(Some(gone.clone()), false, 2).await;
        let moved = behind.iter().filter(|entry| entry.state.score() > FAR);
        h.assert_eq(behind.len() - moved.count(), ordered.len() - place);
        h.assert_eq(&behind[..ordered.len() - place], &ordered[place..]);
        let mut before = h.walk(Some(gone), true, 2).await;
        before.reverse();
        h.assert_eq(before, &ordered[..place]);
    }
}

pub(super) async fn index_tombstone_all_keeps_one_entry(h: Harness) {
    h.put(&[("a", 1), ("b", 2), ("c", FAR)]).await;
    h.tombstone_all(Some("b")).await;
    let (a, c) = (("a", TOMBSTONE), ("c", TOMBSTONE));
    h.assert_entries(&[a, ("b", 2), c]).await;
    h.tombstone_all(Some("a")).await;
    h.assert_entries(&[a, ("b", TOMBSTONE), c]).await;
    h.put(&[("d", 3), ("e", 4)]).await;
    h.supersede("d", "e").await;
    let first = [a, ("b", TOMBSTONE), c];
    for (keep, d, e) in [
        ("d", SUPERSEDED, TOMBSTONE),
        ("unknown", TOMBSTONE, TOMBSTONE),
    ] {
        h.tombstone_all(Some(keep)).await;
        let last = [("d", d), ("e", e)];
        h.assert_entries(&[&first[..], &last].concat()).await;
    }
    h.assert_eq(h.get("unknown").await, None);
}

pub(super) async fn tombstones_keep_their_time(h: Harness) {
    h.put(&[("a", 1), ("b", 2), ("c", 3)]).await;
    h.supersede("a", "b").await;
    for later in [NOW + 5, NOW + 9] {
        let supersede = h.store.index_supersede(&h.index, "b", "c", later);
        h.ok(supersede).await;
        let all = h.store.index_tombstone_all(&h.index, Some("c"), later);
        h.ok(all).await;
    }
    let deleting = [("a", TOMBSTONE), ("b", TOMBSTONE - 5), ("c", 3)];
    h.assert_entries(&deleting).await;
    // Deletions come first in the order of scores, whatever their time is.
    h.put(&[("d", 4)]).await;
    let supersede = h.store.index_supersede(&h.index, "d", "c", NOW + 99);
    h.ok(supersede).await;
    let ordered = h.walk(None, false, 2).await;
    let members: Vec<_> = ordered.iter().map(|entry| &*entry.member).collect();
    h.assert_eq(members, ["b", "a", "d", "c"]);
}

pub(super) async fn only_reactivation_ends_a_tombstone(h: Harness) {
    h.put(&[("a", 5), ("b", 5), ("c", 5), ("s", 5)]).await;
    h.supersede("s", "c").await;
    h.tombstone_all(Some("c")).await;
    h.put(&[("t", 5)]).await;
    h.supersede("t", "c").await;
    h.put(&[("a", 0), ("a", FAR), ("s", FAR), ("t", FAR)]).await;
    let (a, b, s) = (("a", TOMBSTONE), ("b", TOMBSTONE), ("s", TOMBSTONE));
    let (c, t) = (("c", 5), ("t", SUPERSEDED));
    h.assert_entries(&[a, b, c, s, t]).await;
    for (member, check_after) in [("a", 3), ("c", 4), ("new", 7), ("s", 3), ("t", 3)] {
        let entry = h.entry(member, check_after);
        h.ok(h.store.index_put(entry, PutMode::UndoSupersede)).await;
    }
    let (new, t) = (("new", 7), ("t", 3));
    h.assert_entries(&[a, b, c, new, s, t]).await;
    for (member, check_after) in [("a", 3), ("c", 4), ("new", 7)] {
        let entry = h.entry(member, check_after);
        h.ok(h.store.index_put(entry, PutMode::Reactivate)).await;
    }
    h.supersede("t", "c").await;
    let entry = h.entry("t", 2);
    h.ok(h.store.index_put(entry, PutMode::Reactivate)).await;
    h.assert_entries(&[("a", 3), b, c, new, s, ("t", 2)]).await;
}

pub(super) async fn only_due_entries_are_removed(h: Harness) {
    h.put(&[("a", 5), ("b", 9), ("c", 10)]).await;
    h.tombstone_all(Some("c")).await;
    h.put(&[("e", 5), ("f", 9), ("g", 10), ("h", 1)]).await;
    for members in [&["a", "c", "e", "f", "g", "unknown"][..], &[]] {
        h.remove(members, Some(9)).await;
    }
    let (a, b) = (("a", TOMBSTONE), ("b", TOMBSTONE));
    h.assert_entries(&[a, b, ("c", 10), ("g", 10), ("h", 1)])
        .await;
}

pub(super) async fn supersede_needs_two_active_entries(h: Harness) {
    h.put(&[("active", 1), ("deleting", 1), ("old", 3)]).await;
    h.assert_eq(h.supersede("deleting", "old").await, Superseded);
    let entries = [("active", 1), ("deleting", SUPERSEDED), ("old", 3)];
    h.assert_entries(&entries).await;
    for new in ["active", "deleting", "missing"] {
        for old in ["deleting", "missing"] {
            h.assert_eq(h.supersede(old, new).await, OldNotActive);
        }
        if new != "active" {
            h.assert_eq(h.supersede("active", new).await, NewNotActive);
        }
        h.assert_entries(&entries).await;
    }
    h.assert_eq(h.supersede("active", "active").await, Superseded);
    h.assert_eq(h.get("active").await, Some(SUPERSEDED));
}
