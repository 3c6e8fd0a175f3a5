//! One state of an exploration.

use std::hash::{Hash, Hasher};

use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::StoreErrorKind;

use super::process::{CallState, Event, Position};
use super::simulation::{Outcome, ProcessSet, Simulation};
use super::store_call::Answer;

/// What the store holds and how far the processes are, with the way there.
pub(super) struct State {
    store: MemoryStore,
    processes: Vec<Progress>,
    path: Vec<Taken>,
}

/// How far one process is.
#[derive(Clone, Default, Hash)]
struct Progress {
    /// The number of its [`Position`].
    position: usize,
    started: bool,
    /// The processes that had returned when this one took its first step.
    preceded_by: ProcessSet,
}

/// What happens to one process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// It takes its next step.
    Step,
    /// Its next step is rejected and not applied.
    Reject,
    /// Its next step is applied, but answered like one that was rejected.
    LoseReply,
    /// The future of its call is dropped.
    Drop,
}

/// An action of the path, with the position before it.
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
        let lost = Answer::Error(StoreErrorKind::Timeout);
        let next = simulation.processes[process]
            .position(position)
            .next
            .as_ref();
        let event = match (action, next) {
            (Action::Step, Some(call)) => Event::Answer((call.make)(&store)),
            (Action::LoseReply, Some(call)) => {
                // Whatever the store answered, the caller never learns it.
                let _ = (call.make)(&store);
                Event::Answer(lost)
            }
            (Action::Reject, Some(_)) => Event::Answer(lost),
            (Action::Drop, _) | (_, None) => Event::Drop,
        };
        if !progress.started && !matches!(event, Event::Drop) {
            progress.started = true;
            progress.preceded_by = self.returned(simulation);
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
        simulation.processes[process].position(self.processes[process].position)
    }

    fn returned(&self, simulation: &Simulation) -> ProcessSet {
        let has_returned = |process: &usize| {
            let position = self.position(*process, simulation);
            matches!(position.call, CallState::Returned(_))
        };
        let returned = (0..self.processes.len()).filter(has_returned);
        returned.map(|process| 1 << process).sum()
    }

    pub(super) fn can_step(&self, process: usize, simulation: &Simulation) -> bool {
        self.position(process, simulation).next.is_some()
    }

    /// Returns the processes that can take a step.
    pub(super) fn unfinished(&self, simulation: &Simulation) -> impl Iterator<Item = usize> {
        (0..self.processes.len()).filter(|process| self.can_step(*process, simulation))
    }

    /// Returns whether the call of `process` can be dropped and it makes a difference that it is
    /// dropped now and not before. It does at the start and after the process's own steps: the
    /// other processes do not notice it.
    pub(super) fn may_be_dropped(&self, process: usize, simulation: &Simulation) -> bool {
        let mut steps = self.path.iter().rev();
        let last = steps.find(|taken| !matches!(taken.action, Action::Drop));
        let running = matches!(self.position(process, simulation).call, CallState::Running);
        running && last.is_none_or(|taken| taken.process == process)
    }

    /// Returns how many actions of the path `kind` selects.
    pub(super) fn count(&self, kind: fn(Action) -> bool) -> usize {
        self.path.iter().filter(|taken| kind(taken.action)).count()
    }

    /// Hashes everything that decides how the exploration goes on from here.
    pub(super) fn fingerprint(&self, hasher: &mut impl Hasher) {
        self.store.fingerprint(hasher);
        self.processes.hash(hasher);
    }

    /// Hashes everything that a check can see.
    pub(super) fn outcome(&self, simulation: &Simulation, hasher: &mut impl Hasher) {
        self.store.fingerprint(hasher);
        for (process, progress) in self.processes.iter().enumerate() {
            progress.preceded_by.hash(hasher);
            if let CallState::Returned(returned) = &self.position(process, simulation).call {
                returned.text.hash(hasher);
            }
        }
    }

    /// Lets the check see this state.
    pub(super) fn show(&self, simulation: &Simulation) {
        simulation.store().copy_from(&self.store);
        let mut outcomes = simulation.outcomes.borrow_mut();
        for (process, progress) in self.processes.iter().enumerate() {
            outcomes[process] = Outcome {
                returned: match &self.position(process, simulation).call {
                    CallState::Returned(returned) => Some(returned.clone()),
                    _ => None,
                },
                preceded_by: progress.preceded_by,
            };
        }
    }

    /// Returns what is wrong with an operation itself.
    pub(super) fn fault(&self, simulation: &Simulation) -> Option<String> {
        (0..self.processes.len()).find_map(|process| {
            let name = &simulation.processes[process].name;
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

    /// Returns `message` and the way here, line by line.
    pub(super) fn violation(&self, simulation: &Simulation, message: impl Into<String>) -> String {
        let mut text = format!("{}, after:", message.into());
        for taken in &self.path {
            let process = &simulation.processes[taken.process];
            let (name, next) = (&process.name, &process.position(taken.position).next);
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
