//! Answers as the contract names them.

use std::time::Duration;
use std::vec::IntoIter;

use redis::Value;

use super::fault;
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Command, Compared, IndexEntry, Reply, Standing, Stored, Superseded};

/// Reads one reply for each of `commands` out of what Redis answered.
pub(super) fn decode(
    commands: &[Command<'_>],
    answers: Vec<Value>,
) -> Result<Vec<Reply>, StoreError> {
    let mut answers = answers.into_iter();
    let replies = commands.iter().map(|command| reply(command, &mut answers));
    replies.collect()
}

fn reply(command: &Command<'_>, answers: &mut IntoIter<Value>) -> Result<Reply, StoreError> {
    if let Command::IndexRemove { members: [], .. } | Command::IndexPrune { members: [], .. } =
        command
    {
        return Ok(Reply::Done);
    }
    let answer = answers.next().ok_or_else(unreadable)?;
    if let Command::Load { .. } = command {
        let ttl = answers.next().ok_or_else(unreadable)?;
        return record(answer, &ttl);
    }
    match answer {
        Value::ServerError(error) if is_on_record(command) && fault::is_foreign(&error) => {
            Ok(Reply::Foreign)
        }
        Value::ServerError(error) => Err(fault::refused(&error)),
        answer => other(command, answer),
    }
}

const fn is_on_record(command: &Command<'_>) -> bool {
    matches!(
        command,
        Command::Load { .. }
            | Command::Insert { .. }
            | Command::Replace { .. }
            | Command::Expire { .. }
            | Command::Delete { .. }
            | Command::CompareAndSet { .. }
            | Command::CompareAndDelete { .. }
    )
}

fn record(value: Value, ttl: &Value) -> Result<Reply, StoreError> {
    let value = match value {
        Value::Nil => None,
        Value::BulkString(bytes) => Some(bytes),
        Value::ServerError(error) if fault::is_foreign(&error) => return Ok(Reply::Foreign),
        Value::ServerError(error) => return Err(fault::refused(&error)),
        _ => return Err(unreadable()),
    };
    let ttl = match ttl {
        Value::Int(millis) => *millis,
        Value::ServerError(error) => return Err(fault::refused(error)),
        _ => return Err(unreadable()),
    };
    // It may have expired between the two questions: then it is absent.
    let value = value.filter(|_| ttl != -2);
    Ok(Reply::Record(value.map(|value| Stored {
        value: value.into(),
        ttl: u64::try_from(ttl).ok().map(Duration::from_millis),
    })))
}

fn other(command: &Command<'_>, answer: Value) -> Result<Reply, StoreError> {
    Ok(match (command, answer) {
        (Command::Insert { .. } | Command::Replace { .. }, Value::Okay) => Reply::Applied(true),
        (Command::Insert { .. } | Command::Replace { .. }, Value::Nil) => Reply::Applied(false),
        (Command::Expire { .. } | Command::Delete { .. }, Value::Int(count)) => {
            Reply::Applied(count > 0)
        }
        (Command::CompareAndSet { .. } | Command::CompareAndDelete { .. }, answer) => {
            Reply::Compared(compared(answer)?)
        }
        (
            Command::IndexPut { .. }
            | Command::IndexUnmark { .. }
            | Command::IndexRemove { .. }
            | Command::IndexPrune { .. },
            Value::Int(_),
        ) => Reply::Done,
        (Command::IndexCheck { .. }, Value::Nil) => Reply::Applied(false),
        (Command::IndexCheck { .. }, answer) => {
            Reply::Applied(matches!(standing(&answer)?, Standing::Live { .. }))
        }
        (Command::IndexMarkAll { .. } | Command::IndexDue { .. }, Value::Array(members)) => {
            Reply::Members(members.into_iter().map(member).collect::<Result<_, _>>()?)
        }
        (Command::IndexSupersede { .. }, Value::Int(0)) => Reply::Superseded(Superseded::Marked),
        (Command::IndexSupersede { .. }, Value::Int(1)) => Reply::Superseded(Superseded::OldGone),
        (Command::IndexSupersede { .. }, Value::Int(2)) => Reply::Superseded(Superseded::NewGone),
        (Command::IndexEntries { .. }, Value::Array(items)) => Reply::Entries(entries(items)?),
        _ => return Err(unreadable()),
    })
}

fn compared(answer: Value) -> Result<Compared, StoreError> {
    match answer {
        Value::Int(1) => Ok(Compared::Equal),
        Value::Int(0) => Ok(Compared::Gone),
        Value::BulkString(bytes) => Ok(Compared::Different(bytes.into())),
        _ => Err(unreadable()),
    }
}

/// `[member, score, …]` in RESP2, `[[member, score], …]` in RESP3.
fn entries(items: Vec<Value>) -> Result<Vec<IndexEntry>, StoreError> {
    let mut flat = items.into_iter().flat_map(|item| match item {
        Value::Array(pair) => pair,
        item => vec![item],
    });
    let mut entries = Vec::new();
    while let Some(name) = flat.next() {
        entries.push(IndexEntry {
            member: member(name)?,
            standing: standing(&flat.next().ok_or_else(unreadable)?)?,
        });
    }
    Ok(entries)
}

fn member(value: Value) -> Result<String, StoreError> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).map_err(|_| unreadable()),
        _ => Err(unreadable()),
    }
}

/// What a score says; the mark of the dying is below 0.
fn standing(value: &Value) -> Result<Standing, StoreError> {
    let score: f64 = match value {
        Value::Double(score) => *score,
        Value::BulkString(text) => std::str::from_utf8(text)
            .ok()
            .and_then(|text| text.parse().ok())
            .ok_or_else(unreadable)?,
        _ => return Err(unreadable()),
    };
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is right")]
    let score = score as i64;
    Ok(match score.checked_neg() {
        Some(since) if since > 0 => Standing::Dying { since },
        _ => Standing::Live { score },
    })
}

fn unreadable() -> StoreError {
    StoreError::new(StoreErrorKind::Protocol)
}
