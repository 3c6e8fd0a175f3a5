//! A hook that stops a call in the middle.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use jwt_redis_session::store::StoreError;
use jwt_redis_session::testing::{Hook, Step};
use tokio::sync::Notify;

/// Hook that stops the first step of one kind until it is resumed. Other steps run.
#[derive(Debug)]
pub struct StopBefore {
    step: Step,
    used: AtomicBool,
    reached: Notify,
    resumed: Notify,
}

impl StopBefore {
    /// Creates a hook that stops before the next `step`.
    pub fn new(step: Step) -> Arc<Self> {
        Arc::new(Self {
            step,
            used: AtomicBool::new(false),
            reached: Notify::new(),
            resumed: Notify::new(),
        })
    }

    /// Waits until the step is about to run.
    pub async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Lets the step run.
    pub fn resume(&self) {
        self.resumed.notify_one();
    }
}

impl Hook for StopBefore {
    async fn around<T: Hash + Send>(
        &self,
        step: Step,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if step == self.step && !self.used.swap(true, Ordering::SeqCst) {
            self.reached.notify_one();
            self.resumed.notified().await;
        }
        call.await
    }
}
