//! The scheduler that grants each step.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jwt_redis_session::store::{SharedStore, StoreError, StoreErrorKind};
use jwt_redis_session::testing::Step;
use tokio::sync::oneshot;

use super::process::{Delivery, Grant, Process, ProcessId, Waiting, WaitingStep};

/// The system is quiet once this many yields in a row changed nothing.
const CALM_YIELDS: usize = 6;

/// After this many yields a system that never becomes quiet is left to itself.
const MAX_YIELDS: usize = 10_000;

/// Grants the steps of several processes on one store one by one.
///
/// Each process has [its own store](Self::process), whose calls wait before every step. The
/// test sees [which processes wait](Self::waiting), grants one of them [one step](Self::step),
/// [crashes](Self::crash) it, or lets its step [fail](Self::refuse).
///
/// Works on a single-threaded runtime (as `#[tokio::test]` has), where everything that happens
/// between two steps is over when [`settle`](Self::settle) returns.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::store::{NewRecord, Store};
/// use jwt_redis_session::testing::Step;
/// use test_support::scheduler::Scheduler;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = MemoryStore::new();
/// let scheduler = Scheduler::new(store.clone());
/// let process = scheduler.process("writer");
/// let id = process.hook().process();
/// let call = tokio::spawn(async move {
///     process.insert(NewRecord::new("key", b"", Duration::from_secs(60))).await?;
///     process.delete("key").await
/// });
///
/// scheduler.settle().await;
/// assert_eq!(scheduler.waiting()[0].step, Step::Insert);
/// assert_eq!(scheduler.step(id).await, Some(Step::Insert));
/// assert_eq!(store.len(), 1);
///
/// scheduler.crash(id);
/// assert_eq!(scheduler.step(id).await, None);
/// assert!(!call.is_finished());
/// # }
/// ```
#[derive(Clone)]
pub struct Scheduler {
    store: SharedStore,
    system: Arc<Mutex<System>>,
}

#[derive(Default)]
struct System {
    processes: Vec<Process>,
    numbers: u64,
    /// Counts events, to detect when nothing happens any more.
    events: u64,
}

impl Scheduler {
    /// Creates a scheduler for `store`.
    pub fn new(store: impl Into<SharedStore>) -> Self {
        Self {
            store: store.into(),
            system: Arc::default(),
        }
    }

    /// Adds a process.
    pub(super) fn add(&self, name: String) -> ProcessId {
        let mut system = self.system();
        let process = ProcessId(system.processes.len());
        system.processes.push(Process {
            name,
            ..Process::default()
        });
        process
    }

    /// Returns the store that the processes share.
    pub(super) fn store(&self) -> SharedStore {
        self.store.clone()
    }

    /// Returns the name that `process` was given.
    #[must_use]
    pub fn name(&self, process: ProcessId) -> String {
        self.of(process, |process| process.name.clone())
    }

    /// Returns the processes that wait, each with the step that it takes next.
    #[must_use]
    pub fn waiting(&self) -> Vec<Waiting> {
        let system = self.system();
        let first = |(at, process): (usize, &Process)| {
            let step = process.waiting.front()?.step;
            let process = ProcessId(at);
            Some(Waiting { process, step })
        };
        system
            .processes
            .iter()
            .enumerate()
            .filter_map(first)
            .collect()
    }

    /// Grants `process` one step. Returns it once it is answered and everything is quiet again, or
    /// `None` if the process does not wait or has crashed.
    pub async fn step(&self, process: ProcessId) -> Option<Step> {
        self.grant(process, Delivery::Deliver).await
    }

    /// As [`step`](Self::step), but the step is refused with `kind` and not applied.
    pub async fn refuse(&self, process: ProcessId, kind: StoreErrorKind) -> Option<Step> {
        self.grant(process, Delivery::Fail(kind)).await
    }

    /// As [`step`](Self::step), but the step is applied and answered with
    /// [`StoreErrorKind::Timeout`].
    pub async fn lose_reply(&self, process: ProcessId) -> Option<Step> {
        self.grant(process, Delivery::Lose).await
    }

    /// Crashes `process`: none of its steps is ever taken or answered.
    pub fn crash(&self, process: ProcessId) {
        let waiting = self.of(process, |process| {
            process.crashed = true;
            std::mem::take(&mut process.waiting)
        });
        drop(waiting);
    }

    /// Returns whether `process` has crashed.
    #[must_use]
    pub fn has_crashed(&self, process: ProcessId) -> bool {
        self.of(process, |process| process.crashed)
    }

    /// Waits until every task waits for a step, is finished or is blocked.
    ///
    /// Yields to the other tasks until nothing has happened for several yields in a row. A task
    /// that sleeps counts as blocked.
    pub async fn settle(&self) {
        let mut seen = self.system().events;
        let mut calm = 0;
        for _ in 0..MAX_YIELDS {
            tokio::task::yield_now().await;
            let events = self.system().events;
            calm = if events == seen { calm + 1 } else { 0 };
            seen = events;
            if calm == CALM_YIELDS {
                return;
            }
        }
    }

    async fn grant(&self, process: ProcessId, delivery: Delivery) -> Option<Step> {
        let (answered, answer) = oneshot::channel();
        let step = self.grant_now(process, Grant { delivery, answered })?;
        // An error means that the sender was dropped: with the answer, or with the waiting future.
        let _ = answer.await;
        self.settle().await;
        Some(step)
    }

    fn grant_now(&self, process: ProcessId, grant: Grant) -> Option<Step> {
        let mut system = self.system();
        let returned = system.returned();
        let process = system.processes.get_mut(process.0)?;
        let waiting = process.waiting.pop_front()?;
        if process.steps == 0 {
            process.preceded_by = returned;
        }
        process.steps += 1;
        // If the waiting future was dropped, so is the grant.
        let _ = waiting.grant.send(grant);
        Some(waiting.step)
    }

    fn of<T>(&self, process: ProcessId, look: impl FnOnce(&mut Process) -> T) -> T {
        let mut system = self.system();
        system.events += 1;
        look(&mut system.processes[process.0])
    }

    fn system(&self) -> MutexGuard<'_, System> {
        self.system.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the stores of the processes and for the explorer.
impl Scheduler {
    pub(super) fn wait(
        &self,
        process: ProcessId,
        step: Step,
        grant: oneshot::Sender<Grant>,
    ) -> u64 {
        let mut system = self.system();
        system.numbers += 1;
        system.events += 1;
        let number = system.numbers;
        let process = &mut system.processes[process.0];
        if !process.crashed {
            process.waiting.push_back(WaitingStep {
                number,
                step,
                grant,
            });
        }
        number
    }

    pub(super) fn begin(&self, process: ProcessId, answered: oneshot::Sender<()>) {
        self.of(process, |process| process.in_flight = Some(answered));
    }

    pub(super) fn leave(&self, process: ProcessId, number: u64) {
        self.of(process, |process| {
            process.waiting.retain(|waiting| waiting.number != number);
        });
    }

    pub(super) fn answered<T: Hash>(&self, process: ProcessId, answer: &Result<T, StoreError>) {
        self.of(process, |process| process.answered(answer));
    }

    pub(super) fn returned(&self, process: ProcessId) {
        self.of(process, |process| process.returned = true);
    }

    pub(super) fn has_returned(&self, process: ProcessId) -> bool {
        self.of(process, |process| process.returned)
    }

    pub(super) fn is_waiting(&self, process: ProcessId) -> bool {
        self.of(process, |process| !process.waiting.is_empty())
    }

    pub(super) fn steps(&self, process: ProcessId) -> usize {
        self.of(process, |process| process.steps)
    }

    pub(super) fn precedes(&self, first: ProcessId, second: ProcessId) -> bool {
        self.of(second, |process| process.preceded_by.contains(&first))
    }

    pub(super) fn fingerprint(&self, hasher: &mut impl Hasher) {
        let system = self.system();
        for process in &system.processes {
            process.fingerprint(hasher);
        }
    }
}

impl System {
    fn returned(&self) -> Vec<ProcessId> {
        let returned = self.processes.iter().enumerate();
        returned
            .filter(|(_, process)| process.returned)
            .map(|(at, _)| ProcessId(at))
            .collect()
    }
}

impl fmt::Debug for Scheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scheduler")
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}
