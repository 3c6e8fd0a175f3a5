//! The error of an exploration.

use std::fmt;

/// A schedule that breaks a promise.
#[derive(Clone, PartialEq, Eq)]
pub struct Violation {
    message: String,
    schedule: Vec<String>,
}

impl Violation {
    pub(super) fn new(message: impl Into<String>, schedule: Vec<String>) -> Self {
        Self {
            message: message.into(),
            schedule,
        }
    }

    /// Returns what is wrong: mostly the message of the check.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Returns the events in order: `name: step`, `name: step (rejected)`,
    /// `name: step (reply lost)`, `name is dropped`, `name crashes`.
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
