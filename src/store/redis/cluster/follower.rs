//! The task that learns of changed slots for watches.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::sleep;

/// The pause after each renewal. While a master has failed, its node is interrupted again and again.
const PAUSE: Duration = Duration::from_millis(100);

/// Renews the slots when a node does not answer for a watched record. An application that only
/// waits for the ends of sessions sends no command that a node could redirect.
#[derive(Default)]
pub(super) struct Follower(Mutex<Option<JoinHandle<()>>>);

impl Follower {
    /// Starts to call `renew` after each notification, until it returns `None`, unless this has
    /// been done. Needs a runtime.
    pub(super) fn start<F: Future<Output = ()> + Send>(
        &self,
        interrupted: &Arc<Notify>,
        renew: impl Fn() -> Option<F> + Send + 'static,
    ) {
        let mut task = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // The task ends with the runtime that it was started on.
        if task.as_ref().is_none_or(JoinHandle::is_finished) {
            let interrupted = Arc::clone(interrupted);
            *task = Some(tokio::spawn(async move {
                loop {
                    interrupted.notified().await;
                    let Some(renewal) = renew() else { return };
                    renewal.await;
                    sleep(PAUSE).await;
                }
            }));
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let task = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(task) = task {
            task.abort();
        }
    }
}
