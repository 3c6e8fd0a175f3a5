//! A process's own door to the stepped store.

use std::fmt;
use std::future::pending;

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::state::{Fate, Grant, ProcessId};
use super::stepper::Stepper;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Command, Reply, Store};

/// A process's own handle on a [`Stepper`]'s store.
///
/// Runs its commands one by one and waits before each until the stepper grants it. Clones belong
/// to the same process.
#[derive(Clone)]
pub struct SteppedStore {
    stepper: Stepper,
    process: ProcessId,
}

impl SteppedStore {
    pub(super) const fn new(stepper: Stepper, process: ProcessId) -> Self {
        Self { stepper, process }
    }

    /// Returns the process whose handle this is.
    #[must_use]
    pub const fn process(&self) -> ProcessId {
        self.process
    }

    async fn give(&self, command: &Command<'_>, fate: Fate) -> Result<Vec<Reply>, StoreError> {
        if let Fate::Refuse(kind) = fate {
            return Err(kind.into());
        }
        let answer = self.stepper.store().run(&[*command]).await;
        match fate {
            Fate::LoseReply => Err(StoreErrorKind::Timeout.into()),
            Fate::Answer | Fate::Refuse(_) => answer,
        }
    }

    /// Waits for leave to give `command`.
    async fn park(&self, command: &'static str) -> Grant {
        let (sender, granted) = oneshot::channel();
        let _seat = Seat {
            store: self,
            number: self.stepper.park(self.process, command, sender),
        };
        match granted.await {
            Ok(grant) => grant,
            Err(_crashed) => pending().await,
        }
    }
}

#[async_trait]
impl Store for SteppedStore {
    async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let mut replies = Vec::with_capacity(commands.len());
        for command in commands {
            let grant = self.park(command.name()).await;
            let answer = self.give(command, grant.fate).await;
            self.stepper.answered(self.process, &answer);
            replies.append(&mut answer?);
        }
        Ok(replies)
    }
}

impl fmt::Debug for SteppedStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SteppedStore")
            .field("process", &self.process)
            .finish_non_exhaustive()
    }
}

/// Gives up its place among the parked when the waiting future is done or dropped.
struct Seat<'a> {
    store: &'a SteppedStore,
    number: u64,
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.store.stepper.leave(self.store.process, self.number);
    }
}
