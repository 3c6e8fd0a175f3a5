//! The store of one process.

use std::future::pending;
use std::hash::Hash;

use jwt_redis_session::store::{StoreError, StoreErrorKind};
use jwt_redis_session::testing::{Hook, Hooked, Step};
use tokio::sync::oneshot;

use super::process::{Delivery, Grant, ProcessId};
use super::scheduler::Scheduler;

/// The store of one process: waits before every step until the scheduler grants it.
///
/// Clones belong to the same process.
pub type Stepping = Hooked<Stop>;

impl Scheduler {
    /// Adds a process and returns its store.
    #[must_use]
    pub fn process(&self, name: impl Into<String>) -> Stepping {
        let process = self.add(name.into());
        let scheduler = self.clone();
        Hooked::new(self.store(), Stop { scheduler, process })
    }
}

/// Hook that stops before every step.
#[derive(Clone, Debug)]
pub struct Stop {
    scheduler: Scheduler,
    process: ProcessId,
}

impl Stop {
    /// Returns the process whose store this is.
    #[must_use]
    pub const fn process(&self) -> ProcessId {
        self.process
    }

    /// Waits until the scheduler grants `step`.
    async fn granted(&self, step: Step) -> Delivery {
        let (sender, granted) = oneshot::channel();
        let _waiting = WaitingGuard {
            stop: self,
            number: self.scheduler.wait(self.process, step, sender),
        };
        match granted.await {
            Ok(Grant { delivery, answered }) => {
                self.scheduler.begin(self.process, answered);
                delivery
            }
            // The process has crashed: nothing of it ever goes on.
            Err(_) => pending().await,
        }
    }
}

impl Hook for Stop {
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let answer = match self.granted(step).await {
            Delivery::Deliver => call.await,
            Delivery::Lose => {
                let _ = call.await;
                Err(StoreErrorKind::Timeout.into())
            }
            Delivery::Fail(kind) => Err(kind.into()),
        };
        self.scheduler.answered(self.process, &answer);
        answer
    }
}

/// Removes a step from the waiting ones when it was granted or its future is dropped.
struct WaitingGuard<'a> {
    stop: &'a Stop,
    number: u64,
}

impl Drop for WaitingGuard<'_> {
    fn drop(&mut self) {
        let Stop { scheduler, process } = self.stop;
        scheduler.leave(*process, self.number);
    }
}
