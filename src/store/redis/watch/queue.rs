//! Keys to read on one connection.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Keys that are to be read on one connection, until that is lost.
///
/// Bounded by the number of watches: each adds its key once, Redis announces one change per read,
/// and a flush of the database replaces all keys.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Default)]
struct State {
    keys: VecDeque<Arc<str>>,
    is_lost: bool,
}

impl Queue {
    /// Adds keys behind those that wait.
    pub(super) fn add(&self, keys: impl IntoIterator<Item = Arc<str>>) {
        self.lock().keys.extend(keys);
        self.changed.notify_one();
    }

    /// Replaces the keys that wait with all `keys`, which are read under the lock: a watch that is
    /// added later also adds its key later.
    pub(super) fn replace(&self, keys: impl FnOnce() -> Vec<Arc<str>>) {
        let mut state = self.lock();
        state.keys = keys().into();
        drop(state);
        self.changed.notify_one();
    }

    /// Adds a key before those that wait: its record has changed.
    pub(super) fn add_first(&self, key: Arc<str>) {
        self.lock().keys.push_front(key);
        self.changed.notify_one();
    }

    /// Records that the connection is lost.
    pub(super) fn lose(&self) {
        self.lock().is_lost = true;
        self.changed.notify_one();
    }

    /// Waits for keys and returns at most `limit` of them, or `None` if the connection is lost.
    pub(super) async fn take(&self, limit: usize) -> Option<Vec<Arc<str>>> {
        loop {
            {
                let mut state = self.lock();
                if state.is_lost {
                    return None;
                }
                let count = limit.min(state.keys.len());
                if count > 0 {
                    return Some(state.keys.drain(..count).collect());
                }
            }
            // A notification since the check is kept for this one consumer.
            self.changed.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
