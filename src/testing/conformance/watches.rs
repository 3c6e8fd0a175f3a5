//! Promises about watches, for stores that have them.

use std::time::Duration;

use super::harness::{Harness, LONG, MINUTE};
use crate::store::types::CompareOutcome;
use crate::store::watches::{RecordWatch, WatchEvent};

/// How long after a change its event may come.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn every_change_is_reported(h: Harness) {
    h.insert("one").await;
    let Some(mut watch) = watched(&h).await else {
        return;
    };
    h.assert_eq(h.set("one", "two").await, CompareOutcome::Applied);
    next(&h, &mut watch).await;
    h.assert_eq(h.set_ttl(MINUTE).await, true);
    next(&h, &mut watch).await;
    h.assert_eq(h.delete_if("two").await, CompareOutcome::Applied);
    until_gone(&h, &mut watch).await;
    h.insert("three").await;
    next(&h, &mut watch).await;
    h.assert_eq(h.delete().await, true);
    until_gone(&h, &mut watch).await;
}

pub(super) async fn watches_are_independent(h: Harness) {
    let other = h.named("other");
    h.insert("value").await;
    other.insert("value").await;
    let (first, second) = (watched(&h).await, watched(&h).await);
    let (Some(mut first), Some(second), Some(mut unchanged)) =
        (first, second, watched(&other).await)
    else {
        return;
    };
    drop(second);
    h.assert_eq(h.delete().await, true);
    until_gone(&h, &mut first).await;
    other.assert_value("value").await;
    other.assert_eq(other.set_ttl(LONG).await, true);
    next(&other, &mut unchanged).await;
}

/// Returns a watch that is in effect, if the store has watches.
async fn watched(h: &Harness) -> Option<RecordWatch> {
    let mut watch = h.store.watch(&h.key)?;
    let event = next(h, &mut watch).await;
    (event != WatchEvent::Interrupted).then_some(watch)
}

/// Waits until a deletion is reported. Other events may come first.
async fn until_gone(h: &Harness, watch: &mut RecordWatch) {
    while next(h, watch).await != WatchEvent::MayBeGone {}
}

async fn next(h: &Harness, watch: &mut RecordWatch) -> WatchEvent {
    let event = tokio::time::timeout(PATIENCE, watch.changed()).await;
    event.unwrap_or_else(|_| panic!("{h}; no event"))
}
