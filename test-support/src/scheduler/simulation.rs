//! One run of an exploration: a fresh store and the processes that use it.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jwt_redis_session::MemoryStore;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::{SharedStore, StoreErrorKind};
use tokio::task::JoinHandle;

use super::pipelined::Pipelined;
use super::process::ProcessId;
use super::schedule::Action;
use super::scheduler::Scheduler;

/// The time at which every simulation starts, in Unix seconds.
const START: i64 = 1_700_000_000;

/// Milliseconds after which a process that neither waits for a step nor ends counts as blocked.
const BLOCKED_AFTER: usize = 60;

/// A fresh store and the processes that use it, in one run of an [`Explorer`](super::Explorer).
pub struct Simulation {
    store: MemoryStore,
    clock: ManualClock,
    scheduler: Scheduler,
    tasks: Vec<Task>,
    pipelined: bool,
}

/// The task of a process. Tasks that it spawned may outlive it.
struct Task {
    process: ProcessId,
    handle: JoinHandle<()>,
    dropped_after: Option<usize>,
}

impl Simulation {
    pub(super) fn new(pipelined: bool) -> Self {
        let clock = ManualClock::at(START);
        let store = MemoryStore::new().with_clock(clock.clone());
        let scheduler = Scheduler::new(store.clone());
        Self {
            store,
            clock,
            scheduler,
            tasks: Vec::new(),
            pipelined,
        }
    }

    /// Returns the store behind the scheduler, which never waits: for the setup and the check.
    #[must_use]
    pub fn store(&self) -> MemoryStore {
        self.store.clone()
    }

    /// Returns the clock of the store. It does not advance.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    /// Starts a process: `operation` gets its store and runs up to its first step.
    pub fn spawn<F, T>(
        &mut self,
        name: impl Into<String>,
        operation: impl FnOnce(SharedStore) -> F,
    ) -> Call<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let store = self.scheduler.process(name);
        let call = Call {
            scheduler: self.scheduler.clone(),
            process: store.hook().process(),
            value: Arc::default(),
        };
        let store = if self.pipelined {
            Pipelined(store).into()
        } else {
            store.into()
        };
        let (operation, end) = (operation(store), call.clone());
        let handle = tokio::spawn(async move { end.returns(operation.await) });
        self.tasks.push(Task {
            process: call.process,
            handle,
            dropped_after: None,
        });
        call
    }
}

/// For the explorer.
impl Simulation {
    pub(super) fn scheduler(&self) -> &Scheduler {
        &self.scheduler
    }

    pub(super) fn processes(&self) -> impl Iterator<Item = ProcessId> {
        self.tasks.iter().map(|task| task.process)
    }

    /// Causes an event and returns its description, or `None` if it is not possible.
    pub(super) async fn act(&mut self, action: Action) -> Option<String> {
        let event = match action {
            Action::Step(process) => {
                let step = self.scheduler.step(process).await?;
                format!("{}: {step}", self.scheduler.name(process))
            }
            Action::Refuse(process) => {
                let kind = StoreErrorKind::Timeout;
                let step = self.scheduler.refuse(process, kind).await?;
                format!("{}: {step} (refused)", self.scheduler.name(process))
            }
            Action::LoseReply(process) => {
                let step = self.scheduler.lose_reply(process).await?;
                format!("{}: {step} (reply lost)", self.scheduler.name(process))
            }
            Action::Crash(process) => {
                self.scheduler.crash(process);
                format!("{} crashes", self.scheduler.name(process))
            }
            Action::Abort(process) => {
                let steps = self.scheduler.steps(process);
                let task = self.tasks.get_mut(process.0)?;
                task.dropped_after = Some(steps);
                task.handle.abort();
                self.scheduler.settle().await;
                format!("{} is dropped", self.scheduler.name(process))
            }
        };
        self.wait_for_blocked().await;
        Some(event)
    }

    /// Waits until every process waits for a step or has ended, or is given up as blocked.
    pub(super) async fn settle(&self) {
        self.scheduler.settle().await;
        self.wait_for_blocked().await;
    }

    async fn wait_for_blocked(&self) {
        for _ in 0..BLOCKED_AFTER {
            if self.blocked().is_none() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
            self.scheduler.settle().await;
        }
    }

    /// Returns a process that goes on but waits for no step.
    pub(super) fn blocked(&self) -> Option<ProcessId> {
        let blocked = |task: &&Task| {
            let process = task.process;
            self.calls(process) && !self.scheduler.is_waiting(process)
        };
        self.tasks.iter().find(blocked).map(|task| task.process)
    }

    /// Returns whether the call of `process` has neither ended nor crashed.
    pub(super) fn calls(&self, process: ProcessId) -> bool {
        let going = |task: &Task| !task.handle.is_finished();
        !self.scheduler.has_crashed(process) && self.tasks.get(process.0).is_some_and(going)
    }

    /// Returns a process whose call ended but did not return.
    pub(super) fn panicked(&self) -> Option<ProcessId> {
        let panicked = |task: &&Task| {
            task.handle.is_finished()
                && task.dropped_after.is_none()
                && !self.scheduler.has_returned(task.process)
        };
        self.tasks.iter().find(panicked).map(|task| task.process)
    }

    /// Returns a hash of everything that decides how the run goes on, and of what a check can see.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.store.fingerprint(&mut hasher);
        self.scheduler.fingerprint(&mut hasher);
        for task in &self.tasks {
            (task.dropped_after, task.handle.is_finished()).hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl fmt::Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation")
            .field("scheduler", &self.scheduler)
            .finish_non_exhaustive()
    }
}

/// The call of one process of a [`Simulation`].
pub struct Call<T> {
    scheduler: Scheduler,
    process: ProcessId,
    value: Arc<Mutex<Option<T>>>,
}

impl<T> Call<T> {
    /// Returns the value that the operation returned, or `None` if it crashed or was dropped.
    #[must_use]
    pub fn value(&self) -> Option<T>
    where
        T: Clone,
    {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        value.clone()
    }

    /// Returns whether the operation returned.
    #[must_use]
    pub fn has_returned(&self) -> bool {
        self.scheduler.has_returned(self.process)
    }

    /// Returns whether this operation had returned before `other` took its first step.
    #[must_use]
    pub fn precedes<U>(&self, other: &Call<U>) -> bool {
        self.scheduler.precedes(self.process, other.process)
    }

    fn returns(&self, value: T) {
        let mut returned = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        *returned = Some(value);
        self.scheduler.returned(self.process);
    }
}

impl<T> Clone for Call<T> {
    fn clone(&self) -> Self {
        Self {
            scheduler: self.scheduler.clone(),
            process: self.process,
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call")
            .field("process", &self.process)
            .field("returned", &self.has_returned())
            .finish_non_exhaustive()
    }
}
