//! Tests of the wrappers around a store.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use super::{Delivery, Faults, Hook, Hooked, Step, StepAnswer};
use crate::store::error::{StoreError, StoreErrorKind};
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

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|error| error.kind())
}

#[tokio::test]
async fn refusals_are_counted_and_an_outage_lasts_until_it_is_healed() {
    let (faults, store, inner) = faulty();
    faults.fail_with(StoreErrorKind::Auth);
    faults.fail_next(StoreErrorKind::Busy, 2);
    for expected in [
        StoreErrorKind::Busy,
        StoreErrorKind::Busy,
        StoreErrorKind::Auth,
        StoreErrorKind::Auth,
    ] {
        assert_eq!(kind(store.insert(RECORD).await), Some(expected));
    }
    assert_eq!(kind(store.ping().await), Some(StoreErrorKind::Auth));
    assert_eq!(
        inner.load("key").await,
        Ok(None),
        "a refused step is not applied"
    );
    faults.heal();
    assert_eq!(store.insert(RECORD).await, Ok(true));
}

#[tokio::test]
async fn a_switch_that_is_set_again_replaces_its_setting() {
    let (faults, store, _) = faulty();
    faults.fail_next(StoreErrorKind::Busy, 5);
    faults.fail_next(StoreErrorKind::Auth, 1);
    assert_eq!(kind(store.ping().await), Some(StoreErrorKind::Auth));
    assert_eq!(kind(store.ping().await), None);
    faults.fail_next(StoreErrorKind::Busy, 5);
    faults.fail_next(StoreErrorKind::Busy, 0);
    assert_eq!(kind(store.ping().await), None);
}

#[tokio::test]
async fn a_write_whose_reply_is_lost_is_applied() {
    let (faults, store, _) = faulty();
    faults.lose_replies(1);
    assert_eq!(store.load("key").await, Ok(None), "a read loses nothing");
    let lost = store.insert(RECORD).await;
    assert_eq!(kind(lost), Some(StoreErrorKind::Timeout));
    assert_eq!(store.insert(RECORD).await, Ok(false));
}

#[tokio::test]
async fn a_fault_can_concern_one_step_inside_of_a_provided_method() {
    let (faults, store, inner) = faulty();
    faults.on(Step::Insert).lose_replies(1);
    let created = store.insert_indexed(&[ENTRY], RECORD, None).await;
    assert_eq!(kind(created), Some(StoreErrorKind::Timeout));
    assert!(inner.load("key").await.unwrap().is_some());

    faults.on(Step::IndexRemove).fail_with(StoreErrorKind::Full);
    let deleted = store.delete_indexed(&["key"], "index", &["id"]).await;
    assert_eq!(kind(deleted), Some(StoreErrorKind::Full));
    assert_eq!(inner.load("key").await, Ok(None));
    assert!(inner.index_get("index", "id").await.unwrap().is_some());
}

#[tokio::test]
async fn a_fault_can_let_steps_pass_first() {
    let (faults, store, _) = faulty();
    faults.after(2).fail_next(StoreErrorKind::Busy, 1);
    faults
        .on(Step::Load)
        .after(1)
        .fail_next(StoreErrorKind::Full, 1);
    let mut answers = Vec::new();
    for _ in 0..3 {
        answers.push(kind(store.ping().await));
        answers.push(kind(store.load("key").await));
    }
    let (busy, full) = (Some(StoreErrorKind::Busy), Some(StoreErrorKind::Full));
    assert_eq!(answers, [None, None, busy, full, None, None]);
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
    let deleted = store.delete("key").await;
    assert_eq!(kind(deleted), Some(StoreErrorKind::Timeout));
    assert_eq!(since.elapsed(), Duration::from_secs(1));
    assert!(inner.load("key").await.unwrap().is_some());
}

/// Refuses pings, loses the reply of inserts, and remembers what the callers get.
#[derive(Default)]
struct Recorder(Mutex<Vec<(Step, StepAnswer)>>);

impl Hook for Recorder {
    async fn before(&self, step: Step) -> Result<Delivery, StoreError> {
        match step {
            Step::Ping => Err(StoreErrorKind::Refused.into()),
            Step::Insert => Ok(Delivery::Lose),
            _ => Ok(Delivery::Deliver),
        }
    }

    fn after(&self, step: Step, answer: &StepAnswer) {
        self.0.lock().unwrap().push((step, *answer));
    }
}

#[tokio::test]
async fn a_hook_sees_what_the_caller_of_each_step_gets() {
    let recorder = Arc::new(Recorder::default());
    let hooked = Hooked::new(MemoryStore::new(), Arc::clone(&recorder));
    let store = SharedStore::from(hooked);
    store.ping().await.unwrap_err();
    store.insert(RECORD).await.unwrap_err();
    for key in ["key", "key", "other"] {
        store.load_many(&[key]).await.unwrap();
    }
    let seen = recorder.0.lock().unwrap();
    let errors: Vec<_> = seen
        .iter()
        .map(|(step, seen)| (*step, seen.error()))
        .collect();
    let expected = [
        (Step::Ping, Some(StoreErrorKind::Refused)),
        (Step::Insert, Some(StoreErrorKind::Timeout)),
        (Step::Load, None),
        (Step::Load, None),
        (Step::Load, None),
    ];
    assert_eq!(errors, expected);
    assert_ne!(seen[2].1.digest(), seen[4].1.digest());
}
