//! A depth-first search through all orders.

use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::simulation::Simulation;
use super::state::{Action, State};

/// Explorations with more states than this are given up.
const MAX_STATES: usize = 1_000_000;

/// Explores every order in which the store steps of some operations can run on a fresh
/// [`MemoryStore`](jwt_redis_session::MemoryStore), and checks every end.
///
/// `setup` gets a fresh [`Simulation`], fills its store, adds the processes and returns the check.
/// The check is called for every end: every state in which no process can take a step, or only
/// processes that have crashed could. Equal states are explored once. That requires of the
/// operations:
///
/// - They are deterministic: each call of the operation creates its own id generator, and the time
///   comes from [`Simulation::clock`].
/// - They share nothing that changes except the store.
/// - They do not sleep for a second.
///
/// Call it from a plain `#[test]`, not within a runtime.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::store::NewRecord;
/// use test_support::explorer::Explorer;
///
/// const RECORD: NewRecord<'_> = NewRecord::new("key", b"", Duration::from_secs(60));
///
/// let ends = Explorer::PLAIN.explore(|simulation| {
///     let [a, b] = ["a", "b"].map(|name| {
///         simulation.spawn(name, async |store| store.insert(RECORD).await)
///     });
///     move || {
///         let inserted = [&a, &b].map(|insert| insert.value() == Some(Ok(true)));
///         if inserted[0] != inserted[1] { Ok(()) } else { Err("one of two inserts wins".into()) }
///     }
/// });
/// assert_eq!(ends, Ok(2));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Explorer {
    /// How many processes may crash, each before any of its steps.
    pub crashes: usize,
    /// How many calls may be dropped, each before any of its steps. Tasks that the call spawned go
    /// on.
    pub drops: usize,
    /// How many steps may return `StoreErrorKind::Timeout`, applied or not. The other steps of a
    /// pipeline run all the same, or not: both are explored.
    pub failures: usize,
}

impl Explorer {
    /// Explores orders without crashes, drops and failures.
    pub const PLAIN: Self = Self {
        crashes: 0,
        drops: 0,
        failures: 0,
    };

    /// Explores every order and returns the number of different ends.
    ///
    /// # Errors
    ///
    /// A message and the first order found in which the check returns `Err` or panics, or in which an
    /// operation panics or blocks; or if there are too many states.
    pub fn explore<C>(&self, setup: impl Fn(&mut Simulation) -> C) -> Result<usize, String>
    where
        C: Fn() -> Result<(), String>,
    {
        let search = |pipelined| {
            let mut simulation = Simulation::new(pipelined);
            let check = setup(&mut simulation);
            self.search(&mut simulation, &check)
        };
        if self.failures > 0 {
            search(true)?;
        }
        search(false)
    }

    fn search(
        &self,
        simulation: &mut Simulation,
        check: &dyn Fn() -> Result<(), String>,
    ) -> Result<usize, String> {
        let mut todo = vec![State::first(simulation)];
        let (mut visited, mut ends) = (HashSet::new(), HashSet::new());
        while let Some(state) = todo.pop() {
            if !visited.insert(state.fingerprint()) {
                continue;
            }
            if visited.len() > MAX_STATES {
                return Err(state.violation(simulation, "there are too many states"));
            }
            if let Some(fault) = state.fault(simulation) {
                return Err(state.violation(simulation, fault));
            }
            // A crashed process is one that never takes another step: every state is an end if
            // all processes that could go on have crashed.
            let is_end = state.unfinished(simulation).count() <= self.crashes;
            if is_end && ends.insert(state.show(simulation)) {
                let checked = catch_unwind(AssertUnwindSafe(check));
                let checked = checked.unwrap_or_else(|_| Err("the check panicked".to_owned()));
                checked.map_err(|message| state.violation(simulation, message))?;
            }
            self.extend(&mut todo, &state, simulation);
        }
        Ok(ends.len())
    }

    /// Adds the states that follow `state`.
    fn extend(&self, todo: &mut Vec<State>, state: &State, simulation: &mut Simulation) {
        let failures = state.count(|action| matches!(action, Action::Reject | Action::LoseReply));
        let drops = state.count(|action| matches!(action, Action::Drop));
        for process in 0..simulation.processes.len() {
            if drops < self.drops && state.may_be_dropped(process, simulation) {
                todo.push(state.after(process, Action::Drop, simulation));
            }
            if !state.can_step(process, simulation) {
                continue;
            }
            if failures < self.failures {
                todo.push(state.after(process, Action::Reject, simulation));
                todo.push(state.after(process, Action::LoseReply, simulation));
            }
            todo.push(state.after(process, Action::Step, simulation));
        }
    }
}
