//! Promises about concurrent and cancelled calls.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::task::JoinSet;

use super::harness::{Harness, LONG};
use crate::store::types::{CompareOutcome, InsertOutcome, NewEntry, NewRecord, SupersedeOutcome};

const TASKS: usize = 50;

pub(super) async fn one_insert_succeeds(h: Harness) {
    let key = h.key("record");
    let winners = race(TASKS, |n| {
        let (h, key) = (h.clone(), key.clone());
        async move { h.insert(&key, n.to_string().as_bytes()).await.then_some(n) }
    });
    let winners = winners.await;
    assert_eq!(winners.len(), 1, "{h}");
    let value = h.value(&key).await;
    assert_eq!(value, winners[0].to_string(), "{h}");
}

pub(super) async fn one_insert_indexed_succeeds(h: Harness) {
    let (index, key) = (h.key("index"), h.key("record"));
    let winners = race(TASKS, |n| {
        let (h, key, index) = (h.clone(), key.clone(), index.clone());
        async move {
            let (member, entry) = (n.to_string(), NewEntry::new);
            let record = NewRecord::new(&key, member.as_bytes(), LONG);
            let entries = [entry(&index, &member, 5, LONG)];
            let outcome = h.ok(h.store.insert_indexed(&entries, record, None)).await;
            (outcome != InsertOutcome::KeyTaken).then_some(n)
        }
    });
    assert_eq!(winners.await.len(), 1, "{h}");
}

pub(super) async fn one_delete_succeeds(h: Harness) {
    let (key, index) = (h.key("record"), h.key("index"));
    h.insert(&key, b"value").await;
    let winners = race(TASKS, |n| {
        let (h, key, index) = (h.clone(), key.clone(), index.clone());
        async move {
            let deleted = match n % 3 {
                0 => h.delete(&key).await,
                1 => h.delete_if(&key, b"value").await == CompareOutcome::Applied,
                _ => h.ok(h.store.delete_indexed(&[&key], &index, &[])).await == 1,
            };
            deleted.then_some(n)
        }
    });
    assert_eq!(winners.await.len(), 1, "{h}");
}

pub(super) async fn no_update_is_lost(h: Harness) {
    const WRITERS: usize = 8;
    const UPDATES: usize = 10;
    let key = h.key("counter");
    h.insert(&key, b"0").await;
    let done = race(WRITERS, |n| {
        let (h, key) = (h.clone(), key.clone());
        async move {
            for _ in 0..UPDATES {
                increment(&h, &key).await;
            }
            Some(n)
        }
    });
    done.await;
    let total = (WRITERS * UPDATES).to_string();
    assert_eq!(h.value(&key).await, total, "{h}");
}

/// Compares and sets until it succeeds. An attempt fails only if another one succeeded, so the
/// number of attempts is bounded.
async fn increment(h: &Harness, key: &str) {
    let mut current = h.value(key).await;
    for _ in 0..1000 {
        let number = String::from_utf8_lossy(&current).parse::<usize>();
        let next = number.map_or_else(|_| panic!("{h}; not a number"), |number| number + 1);
        let next = next.to_string();
        match h.set(key, &current, next.as_bytes()).await {
            CompareOutcome::Applied => return,
            CompareOutcome::Mismatch(newer) => current = newer,
            CompareOutcome::Missing => panic!("{h}; the record is gone"),
        }
    }
    panic!("{h}; no compare-and-set succeeds");
}

pub(super) async fn one_supersede_succeeds(h: Harness) {
    let index = h.key("index");
    h.put(&index, &[("old", 1), ("new", 1)]).await;
    let winners = race(TASKS, |n| {
        let (h, index) = (h.clone(), index.clone());
        async move {
            let outcome = h.supersede(&index, "old", "new").await;
            (outcome == SupersedeOutcome::Superseded).then_some(n)
        }
    });
    assert_eq!(winners.await.len(), 1, "{h}");
}

pub(super) async fn every_index_put_is_kept(h: Harness) {
    let index = h.key("index");
    let put = race(TASKS, |n| {
        let (h, index) = (h.clone(), index.clone());
        async move {
            let entries = [("shared", n as i64), (&*n.to_string(), 1)];
            h.put(&index, &entries).await;
            Some(n)
        }
    });
    put.await;
    assert_eq!(h.entries(&index).await.len(), TASKS + 1, "{h}");
    let highest = h.get(&index, "shared").await;
    assert_eq!(highest, Some(TASKS as i64 - 1), "{h}");
}

/// What a deletion of all sessions relies on: it finds the record of every insertion that
/// succeeds, or the insertion learns that its entry is lost.
pub(super) async fn no_insertion_escapes_a_deletion(h: Harness) {
    let (index, missed) = (h.key("index"), h.key("missed"));
    let inserted = race(TASKS, |n| {
        let (h, index, missed) = (h.clone(), index.clone(), missed.clone());
        async move {
            if n % 5 == 0 {
                let all = h.tombstone_all(&index, None).await;
                for member in all {
                    if h.load(&h.key(&member)).await.is_none() {
                        h.put(&missed, &[(&member, 1)]).await;
                    }
                }
                return None;
            }
            let (member, key) = (n.to_string(), h.key(&n.to_string()));
            let entries = [NewEntry::new(&index, &member, 5, LONG)];
            let record = NewRecord::new(&key, b"value", LONG);
            let outcome = h.ok(h.store.insert_indexed(&entries, record, None)).await;
            matches!(outcome, InsertOutcome::Inserted { .. }).then_some(n)
        }
    });
    let inserted: BTreeSet<_> = inserted.await.iter().map(usize::to_string).collect();
    let missed: BTreeSet<_> = h.entries(&missed).await.into_keys().collect();
    assert!(inserted.is_disjoint(&missed), "{h}");
}

pub(super) async fn dropped_calls_disturb_no_other(h: Harness) {
    let (known, index) = (h.key("known"), h.key("index"));
    h.insert(&known, b"known").await;
    for n in 0..30 {
        let key = &*h.key(&format!("dropped-{n}"));
        let entry = NewEntry::new(&index, "member", 5, LONG);
        let record = NewRecord::new(key, b"value", LONG);
        drop_after_one_poll(h.store.insert_indexed(&[entry], record, None)).await;
        assert_eq!(h.value(&known).await, "known", "{h}");
        drop_after_one_poll(h.store.insert(record)).await;
        drop_after_one_poll(h.store.load_many(&[key, &known])).await;
        assert_eq!(h.value(&known).await, "known", "{h}");
        let record = h.load(key).await;
        let is_whole = record.is_none_or(|record| record.value == "value");
        assert!(is_whole, "{h}");
    }
}

async fn drop_after_one_poll(call: impl Future) {
    let _ = tokio::time::timeout(Duration::ZERO, call).await;
}

/// Runs `count` tasks at the same time and returns what those return that succeed.
async fn race<F>(count: usize, task: impl Fn(usize) -> F) -> Vec<usize>
where
    F: Future<Output = Option<usize>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = (0..count).map(task).collect();
    let mut winners = Vec::new();
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(winner) => winners.extend(winner),
            Err(failed) => std::panic::resume_unwind(failed.into_panic()),
        }
    }
    winners
}
