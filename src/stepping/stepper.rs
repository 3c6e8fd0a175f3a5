//! The hand that grants each step.

use std::fmt;
use std::hash::Hasher;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use super::process::SteppedStore;
use super::state::{Fate, Grant, Parked, Process, ProcessId, Ticket};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Reply, Store};

/// The system is quiet once this many yields in a row changed nothing.
const CALM_YIELDS: usize = 6;

/// After so many yields a system that never becomes quiet is left to itself.
const MAX_YIELDS: usize = 10_000;

/// Grants the commands of several processes on one store one by one.
///
/// Each process has [a handle of its own](Self::process), whose calls wait before every single
/// command. The test sees [who waits](Self::parked), lets one of them take [one
/// step](Self::step), [crashes](Self::crash) it, or lets its command [fail](Self::refuse).
///
/// Works on a single-threaded runtime (as `#[tokio::test]` has), where everything that happens
/// between two steps is over when [`settle`](Self::settle) returns.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::MemoryStore;
/// use jwt_redis_session::stepping::Stepper;
/// use jwt_redis_session::store::{Command, Store};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = MemoryStore::new();
/// let stepper = Stepper::new(store.clone());
/// let process = stepper.process("writer");
/// let id = process.process();
/// let call = tokio::spawn(async move {
///     let (key, ttl) = ("key", Duration::from_secs(60));
///     process.run(&[Command::Insert { key, value: b"", ttl }, Command::Delete { key }]).await
/// });
///
/// stepper.settle().await;
/// assert_eq!(stepper.parked()[0].command, "insert");
/// assert_eq!(stepper.step(id).await, Some("insert"));
/// assert_eq!(store.len(), 1);
///
/// stepper.crash(id);
/// assert_eq!(stepper.step(id).await, None);
/// assert!(!call.is_finished());
/// # }
/// ```
#[derive(Clone)]
pub struct Stepper {
    store: Arc<dyn Store>,
    system: Arc<Mutex<System>>,
}

#[derive(Default)]
struct System {
    processes: Vec<Process>,
    tickets: u64,
    /// Counts what happens, to tell when nothing does.
    events: u64,
}

impl Stepper {
    /// Creates a stepper for `store`.
    pub fn new(store: impl Store) -> Self {
        Self {
            store: Arc::new(store),
            system: Arc::default(),
        }
    }

    /// Adds a process and returns its handle on the store.
    #[must_use]
    pub fn process(&self, name: impl Into<String>) -> SteppedStore {
        let mut system = self.system();
        let process = ProcessId(system.processes.len());
        system.processes.push(Process {
            name: name.into(),
            ..Process::default()
        });
        SteppedStore::new(self.clone(), process)
    }

    /// Returns the name that `process` was given.
    #[must_use]
    pub fn name(&self, process: ProcessId) -> String {
        self.of(process, |process| process.name.clone())
    }

    /// Returns the processes that wait, each with the command that it would give next.
    #[must_use]
    pub fn parked(&self) -> Vec<Parked> {
        let system = self.system();
        let first = |(at, process): (usize, &Process)| {
            let command = process.parked.front()?.command;
            let process = ProcessId(at);
            Some(Parked { process, command })
        };
        system
            .processes
            .iter()
            .enumerate()
            .filter_map(first)
            .collect()
    }

    /// Lets `process` give one command, and returns its kind once it is answered and everything
    /// is quiet again; `None` if the process does not wait or has crashed.
    pub async fn step(&self, process: ProcessId) -> Option<&'static str> {
        self.step_to(process, Fate::Answer).await
    }

    /// As [`step`](Self::step), but the command is refused with `kind` and not applied.
    pub async fn refuse(&self, process: ProcessId, kind: StoreErrorKind) -> Option<&'static str> {
        self.step_to(process, Fate::Refuse(kind)).await
    }

    /// As [`step`](Self::step), but the command is applied and yet answered by
    /// [`StoreErrorKind::Timeout`].
    pub async fn lose_reply(&self, process: ProcessId) -> Option<&'static str> {
        self.step_to(process, Fate::LoseReply).await
    }

    /// Crashes `process`: none of its commands ever goes on, nor is it ever answered.
    pub fn crash(&self, process: ProcessId) {
        let waiting = self.of(process, |process| {
            process.crashed = true;
            std::mem::take(&mut process.parked)
        });
        drop(waiting);
    }

    /// Tells whether `process` has crashed.
    #[must_use]
    pub fn has_crashed(&self, process: ProcessId) -> bool {
        self.of(process, |process| process.crashed)
    }

    /// Waits until every task is parked, finished or blocked.
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

    async fn step_to(&self, process: ProcessId, fate: Fate) -> Option<&'static str> {
        let (sender, answered) = oneshot::channel();
        let grant = Grant {
            fate,
            _answered: sender,
        };
        let command = self.grant(process, grant)?;
        // An error says that the grant was dropped: with the answer, or with the waiting future.
        let _ = answered.await;
        self.settle().await;
        Some(command)
    }

    fn grant(&self, process: ProcessId, grant: Grant) -> Option<&'static str> {
        let mut system = self.system();
        let returned = system.returned();
        let process = system.processes.get_mut(process.0)?;
        let ticket = process.parked.pop_front()?;
        if process.steps == 0 {
            process.preceded_by = returned;
        }
        process.steps += 1;
        // If the waiting future has just been dropped, so is the grant.
        let _ = ticket.grant.send(grant);
        Some(ticket.command)
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

/// For the handles and the explorer.
impl Stepper {
    pub(super) fn store(&self) -> &dyn Store {
        &*self.store
    }

    pub(super) fn park(
        &self,
        process: ProcessId,
        command: &'static str,
        grant: oneshot::Sender<Grant>,
    ) -> u64 {
        let mut system = self.system();
        system.tickets += 1;
        system.events += 1;
        let number = system.tickets;
        let process = &mut system.processes[process.0];
        if !process.crashed {
            process.parked.push_back(Ticket {
                number,
                command,
                grant,
            });
        }
        number
    }

    pub(super) fn leave(&self, process: ProcessId, number: u64) {
        self.of(process, |process| {
            process.parked.retain(|ticket| ticket.number != number);
        });
    }

    pub(super) fn answered(&self, process: ProcessId, answer: &Result<Vec<Reply>, StoreError>) {
        self.of(process, |process| process.answered(answer));
    }

    pub(super) fn returned(&self, process: ProcessId) {
        self.of(process, |process| process.returned = true);
    }

    pub(super) fn has_returned(&self, process: ProcessId) -> bool {
        self.of(process, |process| process.returned)
    }

    pub(super) fn is_parked(&self, process: ProcessId) -> bool {
        self.of(process, |process| !process.parked.is_empty())
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

impl fmt::Debug for Stepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stepper")
            .field("parked", &self.parked())
            .finish_non_exhaustive()
    }
}
