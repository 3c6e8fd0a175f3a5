//! The processes of an exploration and the store that they share.

use std::cell::RefCell;
use std::fmt::{self, Debug};
use std::marker::PhantomData;
use std::rc::Rc;
use std::sync::Arc;

use futures_util::FutureExt as _;
use jwt_redis_session::MemoryStore;
use jwt_redis_session::config::ManualClock;
use jwt_redis_session::store::SharedStore;

use super::process::{Process, Returned};

/// The time at which every exploration starts, in Unix seconds.
const START: i64 = 1_700_000_000;

/// The processes of an [`Explorer`](super::Explorer) and the store that they share.
pub struct Simulation {
    store: MemoryStore,
    clock: ManualClock,
    pub(super) processes: Vec<Process>,
    pub(super) outcomes: Outcomes,
    pipelined: bool,
}

/// A set of processes, as bits.
pub(super) type ProcessSet = u32;

/// What a check sees of each process: the value that it returned, and the processes that had
/// returned before it took its first step.
pub(super) type Outcomes = Rc<RefCell<Vec<(Option<Returned>, ProcessSet)>>>;

impl Simulation {
    pub(super) fn new(pipelined: bool) -> Self {
        let clock = ManualClock::at(START);
        Self {
            store: MemoryStore::new().with_clock(clock.clone()),
            clock,
            processes: Vec::new(),
            outcomes: Rc::default(),
            pipelined,
        }
    }

    /// Returns the store, for the setup and the check. Its steps do not wait.
    #[must_use]
    pub fn store(&self) -> MemoryStore {
        self.store.clone()
    }

    /// Returns the clock of the store. It does not advance.
    #[must_use]
    pub fn clock(&self) -> ManualClock {
        self.clock.clone()
    }

    pub(super) fn copy_of(&self, store: &MemoryStore) -> MemoryStore {
        let copy = MemoryStore::new().with_clock(self.clock.clone());
        copy.copy_from(store);
        copy
    }

    /// Adds a process. `operation` is called with its store, once for each sequence of answers.
    pub fn spawn<F, T>(
        &mut self,
        name: &'static str,
        operation: impl Fn(SharedStore) -> F + 'static,
    ) -> Call<T>
    where
        F: Future<Output = T> + Send + 'static,
        T: Debug + Send + Sync + 'static,
    {
        let returned = |value: T| Returned {
            text: format!("{value:?}"),
            value: Arc::new(value),
        };
        let start = Box::new(move |store| operation(store).map(returned).boxed());
        let process = Process::new(name, start, self.pipelined);
        self.processes.push(process);
        Call {
            process: self.processes.len() - 1,
            outcomes: Rc::clone(&self.outcomes),
            value: PhantomData,
        }
    }
}

impl Debug for Simulation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulation").finish_non_exhaustive()
    }
}

/// The call that one process makes, as a check sees it.
#[derive(Debug)]
pub struct Call<T> {
    process: usize,
    outcomes: Outcomes,
    value: PhantomData<fn() -> T>,
}

impl<T: Clone + 'static> Call<T> {
    /// Returns the value that the operation returned, or `None` if it crashed or was dropped.
    #[must_use]
    pub fn value(&self) -> Option<T> {
        let outcomes = self.outcomes.borrow();
        let returned = outcomes[self.process].0.as_ref()?;
        returned.value.downcast_ref::<T>().cloned()
    }

    /// Returns whether this operation had returned before `other` took its first step.
    #[must_use]
    pub fn precedes<U>(&self, other: &Call<U>) -> bool {
        self.outcomes.borrow()[other.process].1 & (1 << self.process) != 0
    }
}
