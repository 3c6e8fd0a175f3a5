//! A depth-first search through all schedules.

use std::collections::HashSet;

#[cfg(doc)]
use jwt_redis_session::store::StoreErrorKind;

use super::schedule::{Action, Summary, Violation};
use super::simulation::Simulation;
use super::trace::Trace;

/// Runs some operations on a fresh [`MemoryStore`](jwt_redis_session::MemoryStore) in every order
/// that their steps can take, and checks every end.
///
/// Each order is a separate run, from the start: `setup` is called with a fresh [`Simulation`],
/// fills its store, spawns the processes and returns the check, which is called when no process
/// can take a step any more. A state that was reached before is not explored again. States are
/// equal if the store holds the same, and every process has had the same answers and is preceded
/// by the same others. That requires of the operations:
///
/// - They are deterministic: ids come from a generator that starts anew with each simulation, the
///   time from [`Simulation::clock`].
/// - They share nothing that changes except the store: each process has its own `Sessions` on
///   its own store.
/// - They do not sleep for more than a few milliseconds.
///
/// Call it from a plain `#[test]`: it creates its own runtimes.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::store::NewRecord;
/// use test_support::scheduler::Explorer;
///
/// const RECORD: NewRecord<'_> = NewRecord::new("key", b"", Duration::from_secs(60));
///
/// let summary = Explorer::new().explore(async |simulation| {
///     let [a, b] = ["a", "b"].map(|name| {
///         simulation.spawn(name, async |store| store.insert(RECORD).await)
///     });
///     async move || {
///         let inserted = [a, b].map(|insert| insert.value() == Some(Ok(true)));
///         if inserted[0] != inserted[1] { Ok(()) } else { Err("one of two inserts wins".into()) }
///     }
/// });
/// assert_eq!(summary?.ends, 2);
/// # Ok::<(), test_support::scheduler::Violation>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Explorer {
    crashes: usize,
    drops: usize,
    failures: usize,
    max_runs: usize,
    /// Whether to crash and drop at every point, not only where it makes a difference.
    everywhere: bool,
    pipelined: bool,
}

impl Explorer {
    /// Creates an explorer of orders without crashes and drops.
    pub const fn new() -> Self {
        Self {
            crashes: 0,
            drops: 0,
            failures: 0,
            max_runs: 1_000_000,
            everywhere: false,
            pipelined: false,
        }
    }

    /// Lets up to `crashes` processes crash, each before any of its steps.
    pub const fn crashes(mut self, crashes: usize) -> Self {
        self.crashes = crashes;
        self
    }

    /// Lets the futures of up to `drops` calls be dropped, each before any of its steps. Tasks that
    /// the call spawned go on.
    pub const fn drops(mut self, drops: usize) -> Self {
        self.drops = drops;
        self
    }

    /// Lets up to `failures` steps answer [`StoreErrorKind::Timeout`], applied or not.
    pub const fn failures(mut self, failures: usize) -> Self {
        self.failures = failures;
        self
    }

    /// Lets the other steps of a pipeline run after one that failed.
    pub const fn pipelined(mut self) -> Self {
        self.pipelined = true;
        self
    }

    /// Crashes and drops at every point, not only where it makes a difference.
    pub const fn everywhere(mut self) -> Self {
        self.everywhere = true;
        self
    }

    /// Returns whether steps may fail.
    #[must_use]
    pub const fn has_failures(&self) -> bool {
        self.failures > 0
    }

    /// Gives up after so many runs. Defaults to 1,000,000.
    pub const fn max_runs(mut self, runs: usize) -> Self {
        self.max_runs = runs;
        self
    }

    /// Explores every order.
    ///
    /// # Errors
    ///
    /// [`Violation`] with the first order found in which the check says `Err`, an operation
    /// panics or blocks, or that does not come out the same twice; or if it is given up.
    ///
    /// # Panics
    ///
    /// If the check or `setup` panics, after the schedule was printed, or within a runtime.
    #[allow(clippy::needless_pass_by_value)] // So that a closure can be written in place.
    pub fn explore<S, C>(&self, setup: S) -> Result<Summary, Violation>
    where
        S: AsyncFn(&mut Simulation) -> C,
        C: AsyncFnOnce() -> Result<(), String>,
    {
        let mut search = Search {
            limits: self,
            todo: vec![Vec::new()],
            visited: HashSet::new(),
            summary: Summary::default(),
        };
        let mut runs = 0;
        while let Some(beginning) = search.todo.pop() {
            runs += 1;
            if runs > self.max_runs {
                return Err(Violation::new("there are more orders than allowed", &[]));
            }
            // The runtime ends all tasks of the run, also those of crashed processes.
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .map_err(|error| Violation::new(format!("no runtime: {error}"), &[]))?;
            runtime.block_on(search.run(&setup, beginning))?;
        }
        Ok(search.summary)
    }
}

impl Default for Explorer {
    fn default() -> Self {
        Self::new()
    }
}

struct Search<'a> {
    limits: &'a Explorer,
    /// The first actions of the runs that are left.
    todo: Vec<Vec<Action>>,
    visited: HashSet<u64>,
    summary: Summary,
}

impl Search<'_> {
    /// Replays `beginning`, then always takes the first action and keeps the others for later.
    async fn run<S, C>(&mut self, setup: &S, beginning: Vec<Action>) -> Result<(), Violation>
    where
        S: AsyncFn(&mut Simulation) -> C,
        C: AsyncFnOnce() -> Result<(), String>,
    {
        let mut simulation = Simulation::new(self.limits.pipelined);
        let mut trace = Trace::default();
        let check = setup(&mut simulation).await;
        simulation.settle().await;
        for action in beginning {
            trace.apply(&mut simulation, action).await?;
        }
        self.summary.steps += usize::from(!trace.actions.is_empty());
        while self.visited.insert(simulation.fingerprint()) {
            let Some(action) = self.branch(&simulation, &trace) else {
                self.summary.ends += 1;
                return trace.end(&simulation, check).await;
            };
            trace.apply(&mut simulation, action).await?;
            self.summary.steps += 1;
        }
        self.summary.pruned += 1;
        Ok(())
    }

    /// Returns the first possible action. The others are kept for later.
    fn branch(&mut self, simulation: &Simulation, trace: &Trace) -> Option<Action> {
        let mut actions = self.possible(simulation, trace).into_iter();
        let first = actions.next();
        for other in actions {
            let mut run = trace.actions.clone();
            run.push(other);
            self.todo.push(run);
        }
        first
    }

    fn possible(&self, simulation: &Simulation, trace: &Trace) -> Vec<Action> {
        let scheduler = simulation.scheduler();
        let waiting = || {
            scheduler
                .waiting()
                .into_iter()
                .map(|waiting| waiting.process)
        };
        let mut actions: Vec<_> = waiting().map(Action::Step).collect();
        let crash = trace.count(|action| matches!(action, Action::Crash(_))) < self.limits.crashes;
        let abort = trace.count(|action| matches!(action, Action::Abort(_))) < self.limits.drops;
        let fail = trace.count(|action| matches!(action, Action::Refuse(_) | Action::LoseReply(_)));
        if fail < self.limits.failures {
            actions.extend(waiting().flat_map(|id| [Action::Refuse(id), Action::LoseReply(id)]));
        }
        for process in simulation.processes() {
            if !self.limits.everywhere && !trace.may_fail(process) {
                continue;
            }
            if crash && (simulation.calls(process) || scheduler.is_waiting(process)) {
                actions.push(Action::Crash(process));
            }
            if abort && simulation.calls(process) {
                actions.push(Action::Abort(process));
            }
        }
        actions
    }
}
