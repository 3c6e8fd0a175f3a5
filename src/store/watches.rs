//! Watches on records.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

#[cfg(doc)]
use crate::store::contract::Store;

/// Watch on one record, returned by [`Store::watch`]. Dropping it ends the watch.
///
/// Created by [`RecordWatches`], which has an example.
pub struct RecordWatch {
    watches: RecordWatches,
    key: Arc<str>,
    entry: Arc<Entry>,
    seen: u64,
}

/// Event reported by a [`RecordWatch`].
///
/// See [`RecordWatches`] for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum WatchEvent {
    /// The record exists. The watch is in effect: later changes are reported.
    #[non_exhaustive]
    Exists {
        /// The remaining TTL, or `None` if the record does not expire.
        ttl: Option<Duration>,
    },
    /// The record may have been deleted: read it. The watch is in effect.
    MayBeGone,
    /// Changes are not reported until the next event: read the record at an interval.
    Interrupted,
}

impl WatchEvent {
    /// Returns [`Exists`](Self::Exists) with the remaining TTL.
    #[must_use]
    pub const fn exists(ttl: Option<Duration>) -> Self {
        Self::Exists { ttl }
    }
}

impl RecordWatch {
    /// Returns the key of the record.
    #[cfg(feature = "redis")]
    pub(crate) fn key(&self) -> Arc<str> {
        Arc::clone(&self.key)
    }

    /// Waits for the next event.
    ///
    /// The first event comes when the watch is in effect, or turns out not to be. Of several
    /// events since the last call only the newest is returned. No event is lost if the future is
    /// dropped.
    pub async fn changed(&mut self) -> WatchEvent {
        loop {
            // Created before the check: it is notified of everything that comes after it.
            let changed = self.entry.changed.notified();
            if let Some(event) = self.entry.newer_than(&mut self.seen) {
                return event;
            }
            changed.await;
        }
    }
}

impl RecordWatch {
    /// Whether no event follows, because another server has the record now: watch it again.
    pub(crate) fn is_over(&self) -> bool {
        self.entry.lock().is_over
    }
}

impl Drop for RecordWatch {
    fn drop(&mut self) {
        self.watches.remove(&self.key, &self.entry);
    }
}

/// All watches on the records of a store. Clones share them.
///
/// A [`Store`] that can report changes has one of these. Its [`watch`](Store::watch) calls
/// [`watch`](Self::watch), and it calls [`notify`](Self::notify) after every change of a record,
/// wherever that was made.
///
/// ```
/// use jwt_redis_session::store::{RecordWatches, WatchEvent};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let watches = RecordWatches::new();
/// let mut watch = watches.watch("record");
/// watches.notify("record"); // the record was deleted
/// assert_eq!(watch.changed().await, WatchEvent::MayBeGone);
/// # }
/// ```
#[derive(Clone, Default)]
pub struct RecordWatches {
    slots: Arc<Mutex<HashMap<Arc<str>, Slot>>>,
}

struct Slot {
    entry: Arc<Entry>,
    /// The number of watches. The count of `entry` cannot replace it: two watches that are dropped
    /// at the same time would each see the other.
    watches: usize,
}

/// What the watches on one record share.
#[derive(Default)]
struct Entry {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    /// The number of events so far.
    version: u64,
    /// The newest event and its time.
    event: Option<(WatchEvent, Instant)>,
    /// Whether no event follows.
    is_over: bool,
}

impl RecordWatches {
    /// Creates an empty set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Watches a record. The watch is in effect when this returns.
    #[must_use]
    pub fn watch(&self, key: &str) -> RecordWatch {
        let watch = self.add(key);
        watch.entry.begin();
        watch
    }

    /// Reports that a record was created, changed or deleted, or may have been.
    pub fn notify(&self, key: &str) {
        self.publish(key, WatchEvent::MayBeGone, Instant::now());
    }

    /// Reports that any record may have been changed or deleted.
    pub fn notify_all(&self) {
        self.publish_all(WatchEvent::MayBeGone);
    }

    /// Adds a watch whose first event is still to come, unless the record is watched already.
    pub(crate) fn add(&self, key: &str) -> RecordWatch {
        let mut slots = self.lock();
        let key = match slots.get_key_value(key) {
            Some((key, _)) => Arc::clone(key),
            None => key.into(),
        };
        let slot = slots.entry(Arc::clone(&key)).or_insert_with(|| Slot {
            entry: Arc::default(),
            watches: 0,
        });
        slot.watches += 1;
        let entry = Arc::clone(&slot.entry);
        drop(slots);
        RecordWatch {
            watches: self.clone(),
            key,
            entry,
            seen: 0,
        }
    }

    /// Reports an event of a record, which was true at `at`.
    pub(crate) fn publish(&self, key: &str, event: WatchEvent, at: Instant) {
        let entry = self.lock().get(key).map(|slot| Arc::clone(&slot.entry));
        if let Some(entry) = entry {
            entry.publish(event, at);
        }
    }

    /// Reports an event of all records.
    pub(crate) fn publish_all(&self, event: WatchEvent) {
        let slots = self.lock();
        let entries: Vec<_> = slots.values().map(|slot| Arc::clone(&slot.entry)).collect();
        // A task that is woken may drop its watch, which needs the lock.
        drop(slots);
        let now = Instant::now();
        for entry in entries {
            entry.publish(event, now);
        }
    }

    /// Returns the keys of the watched records.
    #[cfg(feature = "redis")]
    pub(crate) fn keys(&self) -> Vec<Arc<str>> {
        self.lock().keys().cloned().collect()
    }

    /// Returns the shared text of `key`, if that record is watched.
    #[cfg(feature = "redis")]
    pub(crate) fn shared_key(&self, key: &str) -> Option<Arc<str>> {
        Some(Arc::clone(self.lock().get_key_value(key)?.0))
    }

    /// Returns the key of a record whose watches are in effect.
    #[cfg(feature = "redis")]
    pub(crate) fn any_key(&self) -> Option<Arc<str>> {
        let slots = self.lock();
        let mut in_effect = slots.iter().filter(|(_, slot)| slot.entry.is_in_effect());
        Some(Arc::clone(in_effect.next()?.0))
    }

    /// Whether no record is watched.
    #[cfg(feature = "redis")]
    pub(crate) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    /// Ends the watches on records whose key is not one of `keep`.
    #[cfg(feature = "cluster")]
    pub(crate) fn retain(&self, keep: impl Fn(&str) -> bool) {
        let mut slots = self.lock();
        let ended: Vec<_> = slots.extract_if(|key, _| !keep(key)).collect();
        drop(slots);
        for (_, slot) in ended {
            slot.entry.lock().is_over = true;
            slot.entry.publish(WatchEvent::Interrupted, Instant::now());
        }
    }

    fn remove(&self, key: &str, entry: &Arc<Entry>) {
        let mut slots = self.lock();
        // Not the slot of a later watch, if this one was ended by `retain`.
        if let Some(slot) = slots.get_mut(key)
            && Arc::ptr_eq(&slot.entry, entry)
        {
            slot.watches -= 1;
            if slot.watches == 0 {
                slots.remove(key);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Slot>> {
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    /// Makes the first event, unless there was one.
    fn begin(&self) {
        let mut state = self.lock();
        if state.version == 0 {
            state.version = 1;
            state.event = Some((WatchEvent::MayBeGone, Instant::now()));
        }
    }

    fn publish(&self, event: WatchEvent, at: Instant) {
        let mut state = self.lock();
        state.version += 1;
        state.event = Some((event, at));
        drop(state);
        self.changed.notify_waiters();
    }

    /// Returns the newest event if it is newer than `seen`, which becomes its number.
    fn newer_than(&self, seen: &mut u64) -> Option<WatchEvent> {
        let state = self.lock();
        if state.version == *seen {
            return None;
        }
        *seen = state.version;
        state.event.map(|(event, at)| match event {
            WatchEvent::Exists { ttl } => {
                WatchEvent::exists(ttl.map(|ttl| ttl.saturating_sub(at.elapsed())))
            }
            other => other,
        })
    }

    #[cfg(feature = "redis")]
    fn is_in_effect(&self) -> bool {
        let event = self.lock().event;
        event.is_some_and(|(event, _)| event != WatchEvent::Interrupted)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RecordWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordWatch").finish_non_exhaustive()
    }
}

impl fmt::Debug for RecordWatches {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordWatches")
            .field("records", &self.lock().len())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::{RecordWatches, WatchEvent};

    #[tokio::test]
    async fn each_watch_gets_the_newest_event_once() {
        let watches = RecordWatches::new();
        let mut watch = watches.watch("a");
        assert_eq!(watch.changed().await, WatchEvent::MayBeGone);
        assert_eq!(watch.changed().now_or_never(), None);
        watches.notify("b");
        assert_eq!(watch.changed().now_or_never(), None);
        let mut second = watches.watch("a");
        watches.publish_all(WatchEvent::Interrupted);
        watches.notify_all();
        for watch in [&mut watch, &mut second] {
            assert_eq!(watch.changed().await, WatchEvent::MayBeGone);
            assert_eq!(watch.changed().now_or_never(), None);
        }
    }

    #[tokio::test]
    async fn a_watch_that_waits_is_woken() {
        let watches = RecordWatches::new();
        let mut watch = watches.add("a");
        let waiting = tokio::spawn(async move { watch.changed().await });
        tokio::task::yield_now().await;
        watches.notify("a");
        assert_eq!(waiting.await.unwrap(), WatchEvent::MayBeGone);
    }

    #[tokio::test(start_paused = true)]
    async fn the_ttl_is_what_is_left_when_the_event_is_taken() {
        let watches = RecordWatches::new();
        let mut watch = watches.add("a");
        let second = std::time::Duration::from_secs(1);
        let exists = WatchEvent::exists(Some(3 * second));
        watches.publish("a", exists, tokio::time::Instant::now());
        tokio::time::advance(second).await;
        assert_eq!(watch.changed().await, WatchEvent::exists(Some(2 * second)));
    }

    #[cfg(feature = "cluster")]
    #[tokio::test]
    async fn a_watch_that_has_ended_does_not_end_the_next_one() {
        let watches = RecordWatches::new();
        let [mut ended, mut kept] = ["a", "b"].map(|key| watches.watch(key));
        watches.retain(|key| key == "b");
        assert_eq!(ended.changed().await, WatchEvent::Interrupted);
        assert!(ended.is_over() && !kept.is_over());
        assert_eq!(kept.changed().await, WatchEvent::MayBeGone);
        let mut next = watches.watch("a");
        drop(ended);
        assert_eq!(next.changed().await, WatchEvent::MayBeGone);
        watches.notify("a");
        assert_eq!(next.changed().now_or_never(), Some(WatchEvent::MayBeGone));
        assert!(!next.is_over());
    }

    #[tokio::test]
    async fn dropped_watches_leave_nothing_behind() {
        let watches = RecordWatches::new();
        let held: Vec<_> = (0..1000).map(|_| watches.watch("a")).collect();
        assert_eq!(format!("{watches:?}"), "RecordWatches { records: 1 }");
        drop(held);
        assert_eq!(format!("{watches:?}"), "RecordWatches { records: 0 }");
    }
}
