//! Promises about concurrent and cancelled calls.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::harness::Harness;
use crate::store::types::{CompareOutcome, InsertOutcome, SupersedeOutcome};

const TASKS: usize = 50;

pub(super) async fn one_call_succeeds(h: Harness) {
    let insert = |n: usize, h: Harness| async move { h.insert(n.to_string()).await };
    let inserted = race(&h, TASKS, insert).await;
    h.assert_eq(inserted.len(), 1);
    let winner = inserted[0];
    h.assert_value(winner.to_string()).await;

    let indexed = h.named("indexed");
    let inserted = race(&indexed, TASKS, |n, h| async move {
        let member = n.to_string();
        let (entries, record) = ([h.entry(&member, 5)], h.record(member.as_bytes()));
        let call = h.store.insert_indexed(&entries, record, None);
        h.ok(call).await != InsertOutcome::KeyTaken
    });
    h.assert_eq(inserted.await.len(), 1);

    let deleted = race(&h, TASKS, |n, h| async move {
        match n % 3 {
            0 => h.delete().await,
            1 => h.delete_if(winner.to_string()).await == CompareOutcome::Applied,
            _ => {
                let keys = [&*h.key];
                let call = h.store.delete_indexed(&keys, &h.index, &[]);
                h.ok(call).await == 1
            }
        }
    });
    h.assert_eq(deleted.await.len(), 1);

    h.put(&[("old", 1), ("new", 1)]).await;
    let superseded = race(&h, TASKS, |_, h| async move {
        h.supersede("old", "new").await == SupersedeOutcome::Superseded
    });
    h.assert_eq(superseded.await.len(), 1);
}

pub(super) async fn no_update_is_lost(h: Harness) {
    const WRITERS: usize = 8;
    const UPDATES: usize = 10;
    h.insert("0").await;
    race(&h, WRITERS, |_, h| async move {
        for _ in 0..UPDATES {
            increment(&h).await;
        }
        true
    })
    .await;
    h.assert_value((WRITERS * UPDATES).to_string()).await;
}

/// Compares and sets until it succeeds. An attempt fails only if another one succeeded, so the
/// number of attempts is bounded.
async fn increment(h: &Harness) {
    let record = h.load().await;
    let mut current = record.map(|record| record.value).unwrap_or_default();
    for _ in 0..1000 {
        let number = String::from_utf8_lossy(&current).parse::<usize>();
        let next = number.map_or_else(|_| panic!("{h}; not a number"), |number| number + 1);
        match h.set(&current, next.to_string()).await {
            CompareOutcome::Applied => return,
            CompareOutcome::Mismatch(newer) => current = newer,
            CompareOutcome::Missing => panic!("{h}; the record is gone"),
        }
    }
    panic!("{h}; no compare-and-set succeeds");
}

pub(super) async fn every_index_put_is_kept(h: Harness) {
    race(&h, TASKS, |n, h| async move {
        h.put(&[("shared", n as i64), (&*n.to_string(), 1)]).await;
        true
    })
    .await;
    h.assert_eq(h.entries().await.len(), TASKS + 1);
    h.assert_eq(h.get("shared").await, Some(TASKS as i64 - 1));
}

/// A deletion of all sessions relies on this: it finds the record of every insertion that
/// succeeds, or the insertion reports that its entry is lost.
pub(super) async fn no_insertion_escapes_a_deletion(h: Harness) {
    let inserted = race(&h, TASKS, |n, h| async move {
        if n % 5 == 0 {
            h.tombstone_all(None).await;
            let entries = h.entries().await.into_iter();
            for (member, _) in entries.filter(|(_, score)| *score < 0) {
                if h.named(&member).load().await.is_none() {
                    h.named("missed").put(&[(&member, 1)]).await;
                }
            }
            return false;
        }
        let member = n.to_string();
        let (entries, record) = ([h.entry(&member, 5)], h.named(&member));
        let record = record.record(b"value");
        let call = h.store.insert_indexed(&entries, record, None);
        matches!(h.ok(call).await, InsertOutcome::Inserted { .. })
    });
    let inserted: BTreeSet<_> = inserted.await.iter().map(usize::to_string).collect();
    let missed: BTreeSet<_> = h.named("missed").entries().await.into_keys().collect();
    assert!(inserted.is_disjoint(&missed), "{h}");
}

pub(super) async fn dropped_calls_disturb_no_other(h: Harness) {
    h.insert("known").await;
    for n in 0..30 {
        let dropped = h.named(&n.to_string());
        let (entry, record) = (h.entry("member", 5), dropped.record(b"value"));
        drop_after_one_poll(h.store.insert_indexed(&[entry], record, None)).await;
        h.assert_value("known").await;
        drop_after_one_poll(h.store.insert(record)).await;
        drop_after_one_poll(h.store.load_many(&[&dropped.key, &h.key])).await;
        h.assert_value("known").await;
        let record = dropped.load().await;
        let is_whole = record.is_none_or(|record| record.value == "value");
        assert!(is_whole, "{h}");
    }
}

async fn drop_after_one_poll(call: impl Future) {
    let _ = tokio::time::timeout(Duration::ZERO, call).await;
}

/// Runs `count` concurrent calls and returns the numbers of those that succeed.
async fn race<F>(h: &Harness, count: usize, call: impl Fn(usize, Harness) -> F) -> Vec<usize>
where
    F: Future<Output = bool> + Send + 'static,
{
    let calls = (0..count).map(|n| {
        let call = call(n, h.clone());
        async move { call.await.then_some(n) }
    });
    let calls: JoinSet<_> = calls.collect();
    calls.join_all().await.into_iter().flatten().collect()
}
