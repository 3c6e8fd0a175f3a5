//! Tests of the switches of a faulty store.

use std::time::Duration;

use tokio::time::Instant;

use super::{Faults, Step};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::memory::MemoryStore;
use crate::store::shared::SharedStore;
use crate::store::types::{Due, NewEntry, NewRecord};

const RECORD: NewRecord<'static> = NewRecord::new("key", b"{}", Duration::from_secs(60));
const ENTRY: NewEntry<'static> = NewEntry::new("index", "id", 5, Duration::from_secs(60));

const AUTH: Option<StoreErrorKind> = Some(StoreErrorKind::Auth);
const BUSY: Option<StoreErrorKind> = Some(StoreErrorKind::Busy);
const FULL: Option<StoreErrorKind> = Some(StoreErrorKind::Full);
const TIMEOUT: Option<StoreErrorKind> = Some(StoreErrorKind::Timeout);

/// Returns switches, the store that they concern, and the same store without faults.
fn faulty() -> (Faults, SharedStore, SharedStore) {
    let (faults, store) = (Faults::new(), SharedStore::from(MemoryStore::new()));
    (faults.clone(), faults.wrap(store.clone()).into(), store)
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

/// Switches, and how each of six steps fails after them: pings and loads in turn.
type Row = (fn(&Faults), [Option<StoreErrorKind>; 6]);

const ROWS: [Row; 5] = [
    (
        |faults| {
            faults.fail_with(StoreErrorKind::Auth);
            faults.fail_next(StoreErrorKind::Busy, 2);
        },
        [BUSY, BUSY, AUTH, AUTH, AUTH, AUTH],
    ),
    (
        |faults| {
            faults.fail_next(StoreErrorKind::Busy, 5);
            faults.fail_next(StoreErrorKind::Auth, 1);
        },
        [AUTH, None, None, None, None, None],
    ),
    (
        |faults| {
            faults.fail_next(StoreErrorKind::Busy, 5);
            faults.fail_next(StoreErrorKind::Busy, 0);
        },
        [None; 6],
    ),
    (
        |faults| {
            faults.after(2).fail_next(StoreErrorKind::Busy, 1);
            let loads = faults.on(Step::Load).after(1);
            loads.fail_next(StoreErrorKind::Full, 1);
        },
        [None, None, BUSY, FULL, None, None],
    ),
    (
        |faults| {
            faults.fail_with(StoreErrorKind::Auth);
            faults.on(Step::Load).fail_with(StoreErrorKind::Full);
            faults.heal();
        },
        [None; 6],
    ),
];

#[tokio::test]
async fn switches_decide_which_steps_fail() {
    for (row, (set, expected)) in ROWS.into_iter().enumerate() {
        let (faults, store, _) = faulty();
        set(&faults);
        let mut kinds = Vec::new();
        for _ in 0..3 {
            kinds.push(kind(store.ping().await));
            kinds.push(kind(store.load("key").await));
        }
        assert_eq!(kinds, expected, "row {row}");
    }
}

#[tokio::test]
async fn failed_writes_are_not_applied_and_lost_replies_are() {
    let (faults, store, inner) = faulty();
    faults.fail_next(StoreErrorKind::Busy, 1);
    assert_eq!(kind(store.insert(RECORD).await), BUSY);
    assert_eq!(inner.load("key").await, Ok(None));
    faults.lose_replies(1);
    assert_eq!(store.load("key").await, Ok(None), "a read loses nothing");
    assert_eq!(kind(store.insert(RECORD).await), TIMEOUT);
    assert_eq!(store.insert(RECORD).await, Ok(false));
}

#[tokio::test]
async fn faults_concern_single_steps_of_provided_methods() {
    let (faults, store, inner) = faulty();
    faults.on(Step::Insert).lose_replies(1);
    let created = store.insert_indexed(&[ENTRY], RECORD, None).await;
    assert_eq!(kind(created), TIMEOUT);
    assert!(inner.load("key").await.unwrap().is_some());

    faults.on(Step::IndexRemove).fail_with(StoreErrorKind::Full);
    let deleted = store.delete_indexed(&["key"], "index", &["id"]).await;
    assert_eq!(kind(deleted), FULL);
    assert_eq!(inner.load("key").await, Ok(None));
    assert!(inner.index_get("index", "id").await.unwrap().is_some());
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
    assert_eq!(kind(store.delete("key").await), TIMEOUT);
    assert_eq!(since.elapsed(), Duration::from_secs(1));
    assert!(inner.load("key").await.unwrap().is_some());
}
