//! Tests of the switches of a faulty store.

use std::time::Duration;

use tokio::time::Instant;

use super::{Faults, Step};
use crate::store::error::{StoreError, StoreErrorKind as Kind};
use crate::store::memory::MemoryStore;
use crate::store::shared::SharedStore;
use crate::store::types::{Due, NewEntry, NewRecord};

const RECORD: NewRecord<'static> = NewRecord::new("key", b"{}", Duration::from_secs(60));
const ENTRY: NewEntry<'static> = NewEntry::new("index", "id", 5, Duration::from_secs(60));

/// Returns switches, the store that they concern, and the same store without faults.
fn faulty() -> (Faults, SharedStore, SharedStore) {
    let (faults, store) = (Faults::new(), SharedStore::from(MemoryStore::new()));
    (faults.clone(), faults.wrap(store.clone()).into(), store)
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<Kind> {
    answer.err().map(|error| error.kind())
}

/// Checks how each of six steps, pings and loads in turn, fails after `set`.
async fn check(expected: &str, set: impl FnOnce(&Faults)) {
    let (faults, store, _) = faulty();
    set(&faults);
    let mut kinds = Vec::new();
    for _ in 0..3 {
        kinds.extend([kind(store.ping().await), kind(store.load("key").await)]);
    }
    let kinds = kinds.iter().map(|kind| kind.map_or("-", Kind::as_str));
    assert_eq!(kinds.collect::<Vec<_>>().join(" "), expected);
}

#[tokio::test]
async fn switches_decide_which_steps_fail() {
    check("busy busy auth auth auth auth", |faults| {
        faults.fail_with(Kind::Auth);
        faults.fail_next(Kind::Busy, 2);
    })
    .await;
    check("auth - - - - -", |faults| {
        faults.fail_next(Kind::Busy, 5);
        faults.fail_next(Kind::Auth, 1);
    })
    .await;
    check("- - - - - -", |faults| {
        faults.fail_next(Kind::Busy, 5);
        faults.fail_next(Kind::Busy, 0);
    })
    .await;
    check("- - busy full - -", |faults| {
        faults.after(2).fail_next(Kind::Busy, 1);
        faults.on(Step::Load).after(1).fail_next(Kind::Full, 1);
    })
    .await;
    check("- - - - - -", |faults| {
        faults.fail_with(Kind::Auth);
        faults.on(Step::Load).fail_with(Kind::Full);
        faults.heal();
    })
    .await;
}

#[tokio::test]
async fn failed_writes_are_not_applied_and_lost_replies_are() {
    let (faults, store, inner) = faulty();
    faults.fail_next(Kind::Busy, 1);
    assert_eq!(kind(store.insert(RECORD).await), Some(Kind::Busy));
    assert_eq!(inner.load("key").await, Ok(None));
    faults.lose_replies(1);
    assert_eq!(store.load("key").await, Ok(None), "a read loses nothing");
    assert_eq!(kind(store.insert(RECORD).await), Some(Kind::Timeout));
    assert_eq!(store.insert(RECORD).await, Ok(false));
}

#[tokio::test(start_paused = true)]
async fn delays_concern_every_step_and_a_hang_applies_nothing() {
    let (faults, store, inner) = faulty();
    faults.delay(Duration::from_millis(300));
    let due = Some(Due { by: 9, limit: 1 });
    let (since, created) = (Instant::now(), store.insert_indexed(&[ENTRY], RECORD, due));
    created.await.unwrap();
    assert_eq!(since.elapsed(), Duration::from_millis(1200), "four steps");
    faults.heal();
    faults.hang(Duration::from_secs(1));
    let since = Instant::now();
    assert_eq!(kind(store.delete("key").await), Some(Kind::Timeout));
    assert_eq!(since.elapsed(), Duration::from_secs(1));
    assert!(inner.load("key").await.unwrap().is_some());
}
