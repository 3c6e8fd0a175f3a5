//! State of a process in the scheduler.

use std::collections::VecDeque;
use std::hash::{DefaultHasher, Hash, Hasher};

use jwt_redis_session::store::{StoreError, StoreErrorKind};
use jwt_redis_session::testing::Step;
use tokio::sync::oneshot;

/// Identifies a process of a [`Scheduler`](super::Scheduler).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub(super) usize);

/// A process that waits until its next step is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Waiting {
    /// The process.
    pub process: ProcessId,
    /// The step that it takes next.
    pub step: Step,
}

/// What becomes of a step that is granted.
#[derive(Clone, Copy)]
pub(super) enum Delivery {
    Deliver,
    /// The step is applied and answered with a timeout.
    Lose,
    /// The step is not applied.
    Fail(StoreErrorKind),
}

/// Permission to take one step.
pub(super) struct Grant {
    pub(super) delivery: Delivery,
    /// Never sent: the scheduler sees that it is dropped, with the answer of the step.
    pub(super) answered: oneshot::Sender<()>,
}

/// A step that waits for its grant.
pub(super) struct WaitingStep {
    pub(super) number: u64,
    pub(super) step: Step,
    pub(super) grant: oneshot::Sender<Grant>,
}

#[derive(Default)]
pub(super) struct Process {
    pub(super) name: String,
    pub(super) crashed: bool,
    pub(super) returned: bool,
    pub(super) steps: usize,
    /// A hash of all answers so far.
    pub(super) answers: u64,
    /// The processes that had returned when this one took its first step.
    pub(super) preceded_by: Vec<ProcessId>,
    /// Several if the process does several things at once. The first is granted first.
    pub(super) waiting: VecDeque<WaitingStep>,
    /// The step that was granted and is not answered yet.
    pub(super) in_flight: Option<oneshot::Sender<()>>,
}

impl Process {
    /// Records the answer of the step in flight.
    pub(super) fn answered<T: Hash>(&mut self, answer: &Result<T, StoreError>) {
        let mut hasher = DefaultHasher::new();
        let answer = answer.as_ref().map_err(StoreError::kind);
        (self.answers, answer).hash(&mut hasher);
        self.answers = hasher.finish();
        self.in_flight = None;
    }

    /// Hashes everything that decides how the process goes on.
    pub(super) fn fingerprint(&self, hasher: &mut impl Hasher) {
        let steps: Vec<_> = self.waiting.iter().map(|waiting| waiting.step).collect();
        (self.steps, self.answers, steps).hash(hasher);
        (self.crashed, self.returned, &self.preceded_by).hash(hasher);
    }
}
