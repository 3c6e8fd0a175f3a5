//! The orders in which things happened, and what came of them.

use std::fmt;

use super::state::ProcessId;

/// One thing that an explorer can make happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Step(ProcessId),
    Refuse(ProcessId),
    LoseReply(ProcessId),
    Crash(ProcessId),
    Abort(ProcessId),
}

/// How much an [`Explorer`](super::Explorer) saw.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The different end states, each of which was checked.
    pub ends: usize,
    /// The steps taken from one state to another, replays not counted.
    pub steps: usize,
    /// How often a state was reached that had been explored before.
    pub pruned: usize,
}

/// An order of steps that ends badly.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    sentence: String,
    schedule: Vec<String>,
}

impl Violation {
    pub(super) fn new(sentence: impl Into<String>, schedule: &[String]) -> Self {
        Self {
            sentence: sentence.into(),
            schedule: schedule.to_vec(),
        }
    }

    /// Returns what the check said.
    #[must_use]
    pub fn sentence(&self) -> &str {
        &self.sentence
    }

    /// Returns what happened, in order: `create: insert`, `create: insert (refused)`,
    /// `create: insert (reply lost)`, `create crashes`, `create is dropped`.
    #[must_use]
    pub fn schedule(&self) -> &[String] {
        &self.schedule
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after:", self.sentence)?;
        for line in &self.schedule {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

/// As it is displayed, so that `unwrap` in a test shows the schedule line by line.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}
