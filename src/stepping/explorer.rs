//! All schedules, depth first.

use std::collections::HashSet;

use super::schedule::{Action, Summary, Violation};
use super::state::ProcessId;
use super::world::World;
#[cfg(doc)]
use crate::store::error::StoreErrorKind;

/// A run that takes more steps than this is taken for one that never ends.
const MAX_STEPS: usize = 10_000;

/// Runs some operations on a fresh [`MemoryStore`](crate::MemoryStore) in every order that their
/// commands can take, and checks every end.
///
/// Each order is a run of its own, from the start: `setup` is called with a fresh [`World`],
/// fills its store, spawns the processes and returns the check, which is called when no process
/// can take a step any more. A state that was reached before is not explored again; states are
/// equal if the store holds the same, and every process has had the same replies and is preceded
/// by the same others. That presumes of the operations:
///
/// - They are deterministic: ids come from a generator that starts anew with each world, the
///   time from [`World::clock`].
/// - They meet in the store alone, and share nothing else that changes: each process has
///   sessions of its own on its own handle.
/// - They do not sleep for more than a few milliseconds.
///
/// Call it from a plain `#[test]`: it makes its own runtimes.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::stepping::Explorer;
/// use jwt_redis_session::store::{Command, Reply, Store};
///
/// const INSERT: Command<'_> =
///     Command::Insert { key: "key", value: b"", ttl: Duration::from_secs(60) };
///
/// let summary = Explorer::new().explore(async |world| {
///     let [a, b] = ["a", "b"].map(|name| {
///         world.spawn(name, async |store| store.run(&[INSERT]).await)
///     });
///     async move || {
///         let won = [a, b].map(|insert| insert.value() == Some(Ok(vec![Reply::Applied(true)])));
///         if won[0] != won[1] { Ok(()) } else { Err("one of two inserts wins".into()) }
///     }
/// });
/// assert_eq!(summary?.ends, 2);
/// # Ok::<(), jwt_redis_session::stepping::Violation>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Explorer {
    crashes: usize,
    drops: usize,
    failures: usize,
    max_runs: usize,
    /// Whether to crash and drop at every point, not only where it makes a difference.
    pub(super) everywhere: bool,
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
        }
    }

    /// Lets up to `crashes` processes crash, each before any of its commands.
    pub const fn crashes(mut self, crashes: usize) -> Self {
        self.crashes = crashes;
        self
    }

    /// Lets the futures of up to `drops` calls be dropped, each before any of its commands; tasks
    /// that the call spawned go on.
    pub const fn drops(mut self, drops: usize) -> Self {
        self.drops = drops;
        self
    }

    /// Lets up to `failures` commands answer [`StoreErrorKind::Timeout`], both applied and not.
    pub const fn failures(mut self, failures: usize) -> Self {
        self.failures = failures;
        self
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
    /// If the check or `setup` does, after the order has been printed; or within a runtime.
    #[allow(clippy::needless_pass_by_value)] // So that a closure can be written in place.
    pub fn explore<S, C>(&self, setup: S) -> Result<Summary, Violation>
    where
        S: AsyncFn(&mut World) -> C,
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
            // With the runtime end all tasks of the run, even those of crashed processes.
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
    /// How runs yet to come begin.
    todo: Vec<Vec<Action>>,
    visited: HashSet<u64>,
    summary: Summary,
}

impl Search<'_> {
    /// Replays `beginning`, then always takes the first way, noting the others for later.
    async fn run<S, C>(&mut self, setup: &S, beginning: Vec<Action>) -> Result<(), Violation>
    where
        S: AsyncFn(&mut World) -> C,
        C: AsyncFnOnce() -> Result<(), String>,
    {
        let mut world = World::new();
        let mut story = Story::default();
        let check = setup(&mut world).await;
        world.settle().await;
        for action in beginning {
            story.go_on(&mut world, action).await?;
        }
        self.summary.steps += usize::from(!story.actions.is_empty());
        while self.visited.insert(world.fingerprint()) {
            let Some(action) = self.branch(&world, &story) else {
                self.summary.ends += 1;
                return story.ends(&world, check).await;
            };
            story.go_on(&mut world, action).await?;
            self.summary.steps += 1;
        }
        self.summary.pruned += 1;
        Ok(())
    }

    /// The first thing that can happen now; the others are noted for later.
    fn branch(&mut self, world: &World, story: &Story) -> Option<Action> {
        let mut actions = self.possible(world, story).into_iter();
        let first = actions.next();
        for other in actions {
            let mut way = story.actions.clone();
            way.push(other);
            self.todo.push(way);
        }
        first
    }

    fn possible(&self, world: &World, story: &Story) -> Vec<Action> {
        let stepper = world.stepper();
        let parked = || stepper.parked().into_iter().map(|parked| parked.process);
        let mut actions: Vec<_> = parked().map(Action::Step).collect();
        let crash = story.count(|action| matches!(action, Action::Crash(_))) < self.limits.crashes;
        let abort = story.count(|action| matches!(action, Action::Abort(_))) < self.limits.drops;
        let fail = story.count(|action| matches!(action, Action::Refuse(_) | Action::LoseReply(_)));
        if fail < self.limits.failures {
            actions.extend(parked().flat_map(|id| [Action::Refuse(id), Action::LoseReply(id)]));
        }
        for process in world.processes() {
            if !self.limits.everywhere && !story.may_fail(process) {
                continue;
            }
            if crash && (world.calls(process) || stepper.is_parked(process)) {
                actions.push(Action::Crash(process));
            }
            if abort && world.calls(process) {
                actions.push(Action::Abort(process));
            }
        }
        actions
    }
}

/// What has happened in one run.
#[derive(Default)]
struct Story {
    actions: Vec<Action>,
    words: Vec<String>,
}

impl Story {
    async fn go_on(&mut self, world: &mut World, action: Action) -> Result<(), Violation> {
        let Some(words) = world.act(action).await else {
            return Err(self.violation("the operations are not deterministic"));
        };
        self.actions.push(action);
        self.words.push(words);
        if let Some(process) = world.panicked() {
            let name = world.stepper().name(process);
            return Err(self.violation(format!("{name} panicked")));
        }
        if self.actions.len() > MAX_STEPS {
            return Err(self.violation("the operations do not come to an end"));
        }
        Ok(())
    }

    fn count(&self, kind: fn(&Action) -> bool) -> usize {
        self.actions.iter().filter(|action| kind(action)).count()
    }

    /// Whether it makes a difference that `process` crashes or is dropped now and not before.
    /// It does in the beginning and after the process's own step: others do not notice, so what
    /// follows their steps is the same as if it had happened before them.
    fn may_fail(&self, process: ProcessId) -> bool {
        for action in self.actions.iter().rev() {
            match *action {
                Action::Step(last) | Action::Refuse(last) | Action::LoseReply(last) => {
                    return last == process;
                }
                Action::Crash(_) | Action::Abort(_) => {}
            }
        }
        true
    }

    async fn ends<C>(self, world: &World, check: C) -> Result<(), Violation>
    where
        C: AsyncFnOnce() -> Result<(), String>,
    {
        if let Some(process) = world.blocked() {
            let name = world.stepper().name(process);
            return Err(self.violation(format!("{name} waits for ever")));
        }
        let teller = Teller(&self);
        let verdict = check().await;
        drop(teller);
        verdict.map_err(|sentence| self.violation(sentence))
    }

    fn violation(&self, sentence: impl Into<String>) -> Violation {
        Violation::new(sentence, &self.words)
    }
}

/// Tells the story if the check panics.
struct Teller<'a>(&'a Story);

impl Drop for Teller<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.violation("the check panicked"));
        }
    }
}
