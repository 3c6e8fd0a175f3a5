//! The trace of one run.

use super::process::ProcessId;
use super::schedule::{Action, Violation};
use super::simulation::Simulation;

/// A run with more steps than this counts as one that never ends.
const MAX_STEPS: usize = 10_000;

/// The events of one run.
#[derive(Default)]
pub(super) struct Trace {
    pub(super) actions: Vec<Action>,
    events: Vec<String>,
}

impl Trace {
    pub(super) async fn apply(
        &mut self,
        simulation: &mut Simulation,
        action: Action,
    ) -> Result<(), Violation> {
        let Some(event) = simulation.act(action).await else {
            return Err(self.violation("the operations are not deterministic"));
        };
        self.actions.push(action);
        self.events.push(event);
        if let Some(process) = simulation.panicked() {
            let name = simulation.scheduler().name(process);
            return Err(self.violation(format!("{name} panicked")));
        }
        if self.actions.len() > MAX_STEPS {
            return Err(self.violation("the operations do not end"));
        }
        Ok(())
    }

    pub(super) fn count(&self, kind: fn(&Action) -> bool) -> usize {
        self.actions.iter().filter(|action| kind(action)).count()
    }

    /// Returns whether it makes a difference that `process` crashes or is dropped now and not
    /// before. It does at the start and after the process's own steps: other processes do not
    /// notice it, so that after their steps it is the same as before them.
    pub(super) fn may_fail(&self, process: ProcessId) -> bool {
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

    pub(super) async fn end<C>(self, simulation: &Simulation, check: C) -> Result<(), Violation>
    where
        C: AsyncFnOnce() -> Result<(), String>,
    {
        if let Some(process) = simulation.blocked() {
            let name = simulation.scheduler().name(process);
            return Err(self.violation(format!("{name} waits forever")));
        }
        let printer = PrintOnPanic(&self);
        let checked = check().await;
        drop(printer);
        checked.map_err(|message| self.violation(message))
    }

    fn violation(&self, message: impl Into<String>) -> Violation {
        Violation::new(message, &self.events)
    }
}

/// Prints the trace if the check panics.
struct PrintOnPanic<'a>(&'a Trace);

impl Drop for PrintOnPanic<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.0.violation("the check panicked"));
        }
    }
}
