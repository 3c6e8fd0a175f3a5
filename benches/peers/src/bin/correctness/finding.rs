//! What a case has found: the cells of the table.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream;

use crate::client::Answer;

/// A row of the table, for one library.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub row: String,
    pub text: String,
    pub violations: usize,
    pub of: usize,
    /// What it adds to the short table: violations, and of how many.
    pub promises: Vec<(Promise, usize, usize)>,
}

/// The rows of the short table. Each sums up the counts of several findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Promise {
    KeepsWrites,
    KeepsAdditions,
    EndsSessions,
    RotatesOnce,
    AnswersInOutage,
    ServesInOutage,
    KeepsLogins,
    KeepsSessions,
    KeepsRecords,
}

impl Finding {
    /// How often something happened that must not happen.
    pub(crate) fn count(row: impl Into<String>, violations: usize, of: usize) -> Self {
        Self {
            row: row.into(),
            text: format!("{violations} of {of}"),
            violations,
            of,
            promises: Vec::new(),
        }
    }

    /// The answers to some requests, of which `is_wrong` must not happen.
    pub(crate) fn answers(
        row: impl Into<String>,
        answers: &[Answer],
        is_wrong: impl Fn(&Answer) -> bool,
    ) -> Self {
        let violations = answers.iter().filter(|answer| is_wrong(answer)).count();
        Self {
            text: describe(answers),
            ..Self::count(row, violations, answers.len())
        }
    }

    /// A row that is about an operation that the library does not have.
    pub(crate) fn no_such_operation(row: impl Into<String>) -> Self {
        Self::note(row, "no such operation")
    }

    /// A row that is only for comparison.
    pub(crate) fn note(row: impl Into<String>, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            ..Self::count(row, 0, 0)
        }
    }

    /// What this library does not promise either: its counts do not fail the program.
    pub(crate) fn not_promised(self) -> Self {
        Self {
            violations: 0,
            ..self
        }
    }

    /// Adds its counts to a row of the short table.
    pub(crate) fn of(mut self, promise: Promise) -> Self {
        self.promises.push((promise, self.violations, self.of));
        self
    }

    /// Adds the violations of another finding in the same row.
    pub(crate) fn and(mut self, other: Self) -> Self {
        self.violations += other.violations;
        self.promises.extend(other.promises);
        self
    }
}

/// Runs rounds, some at the same time, and returns their results.
pub(crate) async fn rounds<T, F: Future<Output = T>>(
    number: usize,
    at_once: usize,
    round: impl FnMut(usize) -> F,
) -> Vec<T> {
    let rounds = stream::iter((0..number).map(round));
    rounds.buffer_unordered(at_once).collect().await
}

pub(crate) fn how_many<T>(rounds: &[T], is_so: impl Fn(&T) -> bool) -> usize {
    rounds.iter().filter(|round| is_so(round)).count()
}

/// Describes answers: `500 (3), 401 (17); 2 ms`.
fn describe(answers: &[Answer]) -> String {
    let mut counts = BTreeMap::new();
    for answer in answers {
        *counts.entry(answer.reply).or_insert(0) += 1;
    }
    let count = |(reply, count): (_, &usize)| match *count == answers.len() {
        true => format!("{reply}"),
        false => format!("{reply} ({count})"),
    };
    let replies = counts.iter().map(count).collect::<Vec<_>>().join(", ");
    let mut times: Vec<_> = answers.iter().map(|answer| answer.took).collect();
    times.sort_unstable();
    match times.get(times.len() / 2) {
        Some(median) if answers.iter().any(|answer| !answer.hangs()) => {
            format!("{replies}; {}", seconds(*median))
        }
        _ => replies,
    }
}

/// Writes a duration with two digits.
pub(crate) fn seconds(duration: Duration) -> String {
    match duration.as_secs_f64() {
        seconds if seconds < 0.1 => format!("{:.0} ms", seconds * 1000.0),
        seconds if seconds < 10.0 => format!("{seconds:.1} s"),
        seconds => format!("{seconds:.0} s"),
    }
}
