//! The task that watches records on one server.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep, timeout_at};

use super::queue::Queue;
use super::tracked::{Tracked, is_rejection};
use crate::store::error::{Result, StoreError};
use crate::store::redis::connect::Connector;
use crate::store::watches::{RecordWatch, RecordWatches, WatchEvent};

/// The number of keys that are read in one write, and the pause if more wait. Ten thousand watches
/// are read again within about 100 milliseconds, which leaves the server time for other requests.
const BATCH: usize = 1000;
const PAUSE: Duration = Duration::from_millis(10);
/// How often a key is read to find out whether the server answers.
const CHECK: Duration = Duration::from_millis(500);
/// The pause before another attempt to connect: at first, at most, and after a rejection.
const FIRST_RETRY: Duration = Duration::from_millis(20);
const LAST_RETRY: Duration = Duration::from_secs(1);
const AFTER_REJECTION: Duration = Duration::from_secs(5);

/// The time without a watch after which the connection is closed.
const IDLE: Duration = Duration::from_secs(5);

/// Watches records on one server, over a connection that is made with the first watch.
pub(in crate::store::redis) struct Watcher {
    shared: Arc<Shared>,
}

struct Shared {
    connector: Arc<Connector>,
    watches: RecordWatches,
    /// The queue of the connection, if there is one.
    queue: Mutex<Option<Arc<Queue>>>,
    /// Whether the server has rejected tracking.
    is_rejected: AtomicBool,
    /// Notified when the server does not answer for a watched key.
    interrupted: Arc<Notify>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Watcher {
    /// Notifies `interrupted` when the server does not answer for a watched key.
    pub(in crate::store::redis) fn new(
        connector: Arc<Connector>,
        interrupted: Arc<Notify>,
    ) -> Self {
        let shared = Shared {
            connector,
            watches: RecordWatches::new(),
            queue: Mutex::default(),
            is_rejected: AtomicBool::new(false),
            interrupted,
            task: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Watches a record. `None` outside of a runtime, if connections cannot receive pushes, or if
    /// the server has rejected tracking.
    pub(in crate::store::redis) fn watch(&self, key: &str) -> Option<RecordWatch> {
        let runtime = Handle::try_current().ok();
        let runtime = runtime.filter(|_| self.shared.connector.supports_pushes())?;
        let watch = self.shared.watches.add(key);
        // After the watch was added: the task reads all watched keys when it has connected.
        if let Some(queue) = &*self.shared.queue() {
            queue.add([watch.key()]);
        }
        let mut task = self.shared.task();
        // The task also ends with the runtime that it was started on.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            *task = Some(runtime.spawn(run(Arc::clone(&self.shared))));
        }
        // After the watch was added: a rejection is recorded first, then reported to all watches.
        let is_rejected = self.shared.is_rejected.load(Ordering::SeqCst);
        (!is_rejected).then_some(watch)
    }
}

#[cfg(feature = "cluster")]
impl Watcher {
    /// Ends the watches on records whose key is not one of `keep`.
    pub(in crate::store::redis) fn retain(&self, keep: impl Fn(&str) -> bool) {
        self.shared.watches.retain(keep);
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(task) = &*self.shared.task() {
            task.abort();
        }
    }
}

impl Shared {
    fn queue(&self) -> MutexGuard<'_, Option<Arc<Queue>>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn task(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.task.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether there is no watch, so that the task must end. The next watch starts another.
    fn has_ended(&self) -> bool {
        // Locked before the check: a watch is added first, and then looks for the task.
        let mut task = self.task();
        let has_ended = self.watches.is_empty();
        if has_ended {
            *task = None;
        }
        has_ended
    }

    fn report(&self, key: &str, event: WatchEvent, at: Instant) {
        if event == WatchEvent::Interrupted {
            self.interrupted.notify_one();
        }
        self.watches.publish(key, event, at);
    }

    /// Reads keys over `tracked` until the connection is lost, or is no longer needed.
    async fn serve(&self, tracked: &Tracked) -> Result<()> {
        *self.queue() = Some(Arc::clone(&tracked.queue));
        // Changes before now were not announced on this connection.
        tracked.queue.add(self.watches.keys());
        let mut absent = Vec::new();
        let mut check_at = Instant::now() + CHECK;
        let mut needed_at = Instant::now();
        while tracked.is_current() {
            match timeout_at(check_at, tracked.queue.take(BATCH)).await {
                Ok(None) => break,
                Ok(Some(keys)) => {
                    let is_full = keys.len() == BATCH;
                    let report = |key: &str, event, at| self.report(key, event, at);
                    absent.extend(tracked.read(keys, report).await?);
                    if is_full {
                        sleep(PAUSE).await;
                    }
                }
                Err(_) => {}
            }
            if check_at <= Instant::now() {
                // A record that is still watched was created again, or could not be read.
                let watched = absent.drain(..);
                let watched = watched.filter_map(|key: Arc<str>| self.watches.shared_key(&key));
                tracked.queue.add(watched);
                if !self.is_answered(tracked).await? {
                    break;
                }
                check_at = Instant::now() + CHECK;
                if !self.watches.is_empty() {
                    needed_at = check_at;
                }
                if needed_at.elapsed() >= IDLE {
                    break;
                }
            }
        }
        Ok(())
    }

    /// Whether the server answers for the watched keys. A node that has become a replica does not.
    async fn is_answered(&self, tracked: &Tracked) -> Result<bool> {
        match self.watches.any_key() {
            Some(key) => tracked.answers_for(&key).await,
            None => Ok(true),
        }
    }
}

/// Reports the loss of the connection, even if the task ends with its runtime.
struct Interruption<'a>(&'a Shared);

impl Drop for Interruption<'_> {
    fn drop(&mut self) {
        *self.0.queue() = None;
        self.0.watches.publish_all(WatchEvent::Interrupted);
        self.0.interrupted.notify_one();
    }
}

/// Connects again and again, while there are watches.
async fn run(shared: Arc<Shared>) {
    let mut retry = FIRST_RETRY;
    loop {
        let start = Instant::now();
        match Tracked::connect(&shared.connector, &shared.watches).await {
            Ok(tracked) => {
                shared.is_rejected.store(false, Ordering::SeqCst);
                let _interruption = Interruption(&shared);
                // Why it was lost does not matter; an outage is reported by the other calls.
                let _ = shared.serve(&tracked).await;
            }
            Err(error) => {
                let is_rejected = is_rejection(&error);
                if is_rejected && !shared.is_rejected.swap(true, Ordering::SeqCst) {
                    warn(&error);
                }
                drop(Interruption(&shared));
                if is_rejected {
                    sleep(AFTER_REJECTION).await;
                }
            }
        }
        if shared.has_ended() {
            return;
        }
        if start.elapsed() > LAST_RETRY {
            retry = FIRST_RETRY;
        }
        // At random, so that the processes of a fleet do not connect in step.
        sleep(retry / 2 + retry / 512 * random_byte()).await;
        retry = (retry * 2).min(LAST_RETRY);
    }
}

fn warn(error: &StoreError) {
    tracing::warn!(
        kind = error.kind().as_str(),
        "redis rejects client tracking, so ended sessions are noticed at an interval only; see \
         RedisStore::WATCH_ACL_RULES: {error}"
    );
}

fn random_byte() -> u32 {
    u32::try_from(RandomState::new().hash_one(0) % 256).unwrap_or(0)
}
