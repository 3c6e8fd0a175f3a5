//! One run: a fresh store and the operations at work on it.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::process::SteppedStore;
use super::schedule::Action;
use super::state::ProcessId;
use super::stepper::Stepper;
use crate::clock::ManualClock;
use crate::store::error::StoreErrorKind;
use crate::store::memory::MemoryStore;

/// When every world begins, in Unix seconds.
const BEGINNING: i64 = 1_700_000_000;

/// How many milliseconds a process that neither waits for a step nor ends is waited for.
const BLOCKED_AFTER: usize = 20;

/// A fresh store and the operations at work on it, in one run of an
/// [`Explorer`](super::Explorer).
pub struct World {
    store: MemoryStore,
    clock: ManualClock,
    stepper: Stepper,
    callers: Vec<Caller>,
}

/// The call of a process; tasks that it spawned may outlive it.
struct Caller {
    process: ProcessId,
    call: JoinHandle<()>,
    dropped_after: Option<usize>,
}

impl World {
    pub(super) fn new() -> Self {
        let clock = ManualClock::at(BEGINNING);
        let store = MemoryStore::new().with_clock(clock.clone());
        let stepper = Stepper::new(store.clone());
        Self {
            store,
            clock,
            stepper,
            callers: Vec::new(),
        }
    }

    /// Returns the store as no process sees it: it never waits. For what is there in the
    /// beginning, and for the check in the end.
    #[must_use]
    pub fn store(&self) -> MemoryStore {
        self.store.clone()
    }

    /// Returns the clock that the store follows; it stands still.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// Starts a process: `operation` gets its handle on the store and runs up to its first
    /// command.
    pub fn spawn<F, T>(
        &mut self,
        name: impl Into<String>,
        operation: impl FnOnce(SteppedStore) -> F,
    ) -> Outcome<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let store = self.stepper.process(name);
        let outcome = Outcome {
            stepper: self.stepper.clone(),
            process: store.process(),
            value: Arc::default(),
        };
        let (operation, end) = (operation(store), outcome.clone());
        let call = tokio::spawn(async move { end.returns(operation.await) });
        self.callers.push(Caller {
            process: outcome.process,
            call,
            dropped_after: None,
        });
        outcome
    }
}

/// For the explorer.
impl World {
    pub(super) fn stepper(&self) -> &Stepper {
        &self.stepper
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessId> {
        self.callers.iter().map(|caller| caller.process)
    }

    /// Makes something happen; says in words what did, or `None` if it cannot.
    pub(super) async fn act(&mut self, action: Action) -> Option<String> {
        let words = match action {
            Action::Step(process) => {
                let command = self.stepper.step(process).await?;
                format!("{}: {command}", self.stepper.name(process))
            }
            Action::Refuse(process) => {
                let kind = StoreErrorKind::Timeout;
                let command = self.stepper.refuse(process, kind).await?;
                format!("{}: {command} (refused)", self.stepper.name(process))
            }
            Action::LoseReply(process) => {
                let command = self.stepper.lose_reply(process).await?;
                format!("{}: {command} (reply lost)", self.stepper.name(process))
            }
            Action::Crash(process) => {
                self.stepper.crash(process);
                format!("{} crashes", self.stepper.name(process))
            }
            Action::Abort(process) => {
                let steps = self.stepper.steps(process);
                let caller = self.callers.get_mut(process.0)?;
                caller.dropped_after = Some(steps);
                caller.call.abort();
                self.stepper.settle().await;
                format!("{} is dropped", self.stepper.name(process))
            }
        };
        self.wait_for_blocked().await;
        Some(words)
    }

    /// Waits until every process waits for a step or has ended, or is given up as blocked.
    pub(super) async fn settle(&self) {
        self.stepper.settle().await;
        self.wait_for_blocked().await;
    }

    async fn wait_for_blocked(&self) {
        for _ in 0..BLOCKED_AFTER {
            if self.blocked().is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.stepper.settle().await;
        }
    }

    /// A call that goes on but waits for no step.
    pub(super) fn blocked(&self) -> Option<ProcessId> {
        let blocked = |caller: &&Caller| {
            let process = caller.process;
            self.calls(process) && !self.stepper.is_parked(process)
        };
        self.callers
            .iter()
            .find(blocked)
            .map(|caller| caller.process)
    }

    /// Whether the call of `process` has neither ended nor crashed.
    pub(super) fn calls(&self, process: ProcessId) -> bool {
        let going = |caller: &Caller| !caller.call.is_finished();
        !self.stepper.has_crashed(process) && self.callers.get(process.0).is_some_and(going)
    }

    /// A call that ended, but did not return.
    pub(super) fn panicked(&self) -> Option<ProcessId> {
        let panicked = |caller: &&Caller| {
            caller.call.is_finished()
                && caller.dropped_after.is_none()
                && !self.stepper.has_returned(caller.process)
        };
        self.callers
            .iter()
            .find(panicked)
            .map(|caller| caller.process)
    }

    /// A hash of all that decides how the world goes on, and of what a check can see.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.store.fingerprint(&mut hasher);
        self.stepper.fingerprint(&mut hasher);
        for caller in &self.callers {
            (caller.dropped_after, caller.call.is_finished()).hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World")
            .field("stepper", &self.stepper)
            .finish_non_exhaustive()
    }
}

/// What became of a process of a [`World`].
pub struct Outcome<T> {
    stepper: Stepper,
    process: ProcessId,
    value: Arc<Mutex<Option<T>>>,
}

impl<T> Outcome<T> {
    /// Returns what the operation returned; `None` if it crashed or was dropped before.
    #[must_use]
    pub fn value(&self) -> Option<T>
    where
        T: Clone,
    {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        value.clone()
    }

    /// Tells whether the operation returned.
    #[must_use]
    pub fn has_returned(&self) -> bool {
        self.stepper.has_returned(self.process)
    }

    /// Tells whether this operation had returned before the `other` gave its first command.
    #[must_use]
    pub fn precedes<U>(&self, other: &Outcome<U>) -> bool {
        self.stepper.precedes(self.process, other.process)
    }

    fn returns(&self, value: T) {
        let mut slot = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        *slot = Some(value);
        self.stepper.returned(self.process);
    }
}

impl<T> Clone for Outcome<T> {
    fn clone(&self) -> Self {
        Self {
            stepper: self.stepper.clone(),
            process: self.process,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> fmt::Debug for Outcome<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outcome")
            .field("process", &self.process)
            .field("returned", &self.has_returned())
            .finish_non_exhaustive()
    }
}
