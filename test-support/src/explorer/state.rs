//! One state of an exploration.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use jwt_redis_session::MemoryStore;

use super::process::{CallState, Event, Position, Returned};
use super::simulation::{ProcessSet, Simulation};
use super::store_call::Answer;

/// Contents of the store, progress of every process, and the path of actions that led here.
pub(super) struct State {
    store: MemoryStore,
    processes: Vec<Progress>,
    path: Vec<Taken>,
}

/// Progress of one process.
#[derive(Clone, Default, Hash)]
struct Progress {
    /// Index of its [`Position`] in the positions of the process.
    position: usize,
    /// The processes that had returned when this one took its first step; `None` before that step.
    preceded_by: Option<ProcessSet>,
}

/// One transition of one process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// The next step is applied and answered.
    Step,
    /// The next step fails and is not applied.
    Reject,
    /// The next step is applied, but answered with the same failure as [`Reject`](Self::Reject).
    LoseReply,
    /// The future of the call is dropped.
    Drop,
}

/// Action on the path, with the position of the process before it.
#[derive(Clone, Copy)]
struct Taken {
    process: usize,
    action: Action,
    position: usize,
}

impl State {
    pub(super) fn first(simulation: &Simulation) -> Self {
        Self {
            store: simulation.copy_of(&simulation.store()),
            processes: vec![Progress::default(); simulation.processes.len()],
            path: Vec::new(),
        }
    }

    /// Returns the state after `action` of `process`.
    pub(super) fn after(
        &self,
        process: usize,
        action: Action,
        simulation: &mut Simulation,
    ) -> Self {
        let store = simulation.copy_of(&self.store);
        let mut processes = self.processes.clone();
        let progress = &mut processes[process];
        let position = progress.position;
        let next = &simulation.processes[process].positions[position].next;
        let event = match (action, next) {
            (Action::Step, Some(call)) => Event::Answer((call.make)(&store)),
            (Action::LoseReply, Some(call)) => {
                (call.make)(&store);
                Event::Answer(Answer::lost())
            }
            (Action::Reject, Some(_)) => Event::Answer(Answer::lost()),
            (Action::Drop, _) | (_, None) => Event::Drop,
        };
        if !matches!(event, Event::Drop) {
            progress
                .preceded_by
                .get_or_insert_with(|| self.have_returned(simulation));
        }
        progress.position = simulation.processes[process].after(position, event);
        let mut path = self.path.clone();
        path.push(Taken {
            process,
            action,
            position,
        });
        Self {
            store,
            processes,
            path,
        }
    }

    fn position<'a>(&self, process: usize, simulation: &'a Simulation) -> &'a Position {
        &simulation.processes[process].positions[self.processes[process].position]
    }

    fn returned<'a>(&self, process: usize, simulation: &'a Simulation) -> Option<&'a Returned> {
        match &self.position(process, simulation).call {
            CallState::Returned(returned) => Some(returned),
            _ => None,
        }
    }

    fn have_returned(&self, simulation: &Simulation) -> ProcessSet {
        let all = 0..self.processes.len();
        let returned = all.filter(|process| self.returned(*process, simulation).is_some());
        returned.map(|process| 1 << process).sum()
    }

    pub(super) fn can_step(&self, process: usize, simulation: &Simulation) -> bool {
        self.position(process, simulation).next.is_some()
    }

    /// Returns the processes that can take a step.
    pub(super) fn unfinished(&self, simulation: &Simulation) -> impl Iterator<Item = usize> {
        (0..self.processes.len()).filter(|process| self.can_step(*process, simulation))
    }

    /// Returns whether dropping the call of `process` here gives a state that an earlier drop does
    /// not give.
    ///
    /// That holds at the start and directly after a step of `process`. Dropping it after a step of
    /// another process is the same as dropping it before, because other processes do not see drops.
    pub(super) fn may_be_dropped(&self, process: usize, simulation: &Simulation) -> bool {
        let mut steps = self.path.iter().rev();
        let last = steps.find(|taken| !matches!(taken.action, Action::Drop));
        let running = matches!(self.position(process, simulation).call, CallState::Running);
        running && last.is_none_or(|taken| taken.process == process)
    }

    /// Returns the number of actions on the path for which `kind` is true.
    pub(super) fn count(&self, kind: fn(Action) -> bool) -> usize {
        self.path.iter().filter(|taken| kind(taken.action)).count()
    }

    /// Returns a hash of everything that determines the states reachable from here.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        self.store.fingerprint(&mut hasher);
        self.processes.hash(&mut hasher);
        hasher.finish()
    }

    /// Copies this state into `simulation`, from which the check reads it. Returns a hash of
    /// everything that the check sees.
    pub(super) fn show(&self, simulation: &Simulation) -> u64 {
        simulation.store().copy_from(&self.store);
        let mut hasher = DefaultHasher::new();
        self.store.fingerprint(&mut hasher);
        let processes = self.processes.iter().enumerate();
        let outcomes = processes.map(|(process, progress)| {
            let preceded_by = progress.preceded_by.unwrap_or_default();
            let returned = self.returned(process, simulation);
            let text = returned.map(|returned| &returned.text);
            (text, preceded_by).hash(&mut hasher);
            (returned.cloned(), preceded_by)
        });
        *simulation.outcomes.borrow_mut() = outcomes.collect();
        hasher.finish()
    }

    /// Returns a description of an operation that panicked or never ends, whatever it returned.
    pub(super) fn fault(&self, simulation: &Simulation) -> Option<String> {
        (0..self.processes.len()).find_map(|process| {
            let name = simulation.processes[process].name;
            let position = self.position(process, simulation);
            match position.call {
                CallState::Panicked => Some(format!("{name} panicked")),
                CallState::Running if position.next.is_none() => {
                    Some(format!("{name} waits forever"))
                }
                _ => None,
            }
        })
    }

    /// Returns `message` followed by the path, one line per action.
    pub(super) fn violation(&self, simulation: &Simulation, message: impl Into<String>) -> String {
        let mut text = format!("{}, after:", message.into());
        for taken in &self.path {
            let process = &simulation.processes[taken.process];
            let (name, next) = (process.name, &process.positions[taken.position].next);
            let step = next.as_ref().map_or("", |step| &step.text);
            text += &match taken.action {
                Action::Step => format!("\n  {name}: {step}"),
                Action::Reject => format!("\n  {name}: {step} (rejected)"),
                Action::LoseReply => format!("\n  {name}: {step} (reply lost)"),
                Action::Drop => format!("\n  {name} is dropped"),
            };
        }
        for process in self.unfinished(simulation) {
            text += &format!("\n  {} crashes", simulation.processes[process].name);
        }
        text
    }
}
