//! Schedules of an exploration and their results.

use std::fmt;

use super::process::ProcessId;

/// One event that an explorer can cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Step(ProcessId),
    Refuse(ProcessId),
    LoseReply(ProcessId),
    Crash(ProcessId),
    Abort(ProcessId),
}

/// Size of an exploration by an [`Explorer`](super::Explorer).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Summary {
    /// The number of different end states. Each was checked.
    pub ends: usize,
    /// The number of steps from one state to another, without replays.
    pub steps: usize,
    /// How often an explored state was reached again.
    pub pruned: usize,
}

/// A schedule that breaks a promise.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    message: String,
    schedule: Vec<String>,
}

impl Violation {
    pub(super) fn new(message: impl Into<String>, schedule: &[String]) -> Self {
        Self {
            message: message.into(),
            schedule: schedule.to_vec(),
        }
    }

    /// Returns the message of the check.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the events in order: `create: insert`, `create: insert (refused)`,
    /// `create: insert (reply lost)`, `create crashes`, `create is dropped`.
    #[must_use]
    pub fn schedule(&self) -> &[String] {
        &self.schedule
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, after:", self.message)?;
        for line in &self.schedule {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

/// Same as `Display`, so that `unwrap` in a test shows the schedule line by line.
impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl std::error::Error for Violation {}
