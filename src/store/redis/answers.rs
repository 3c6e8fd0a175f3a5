//! The answers to a request, read in the order of its commands.

use std::time::Duration;
use std::vec::IntoIter;

use redis::{FromRedisValue, Value, from_redis_value};

use super::config::LARGE;
use super::error;
use super::member;
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::types::{
    CompareOutcome, EntryState, IndexEntry, InsertOutcome, StoredRecord, SupersedeOutcome,
};

/// The answer of `PTTL` if there is no record.
const ABSENT: i64 = -2;

/// Result of reading the beginning of a record.
pub(super) enum Beginning {
    /// The record, which has no more bytes, or its absence.
    Whole(Option<StoredRecord>),
    /// The value may have more bytes than were read, or the record may have expired in the
    /// meantime.
    Unknown,
}

impl Beginning {
    /// Returns the record, or that of `read` if it is unknown.
    pub(super) fn whole_or(
        self,
        read: impl FnOnce() -> Option<StoredRecord>,
    ) -> Option<StoredRecord> {
        match self {
            Self::Whole(record) => record,
            Self::Unknown { .. } => read(),
        }
    }
}

/// Unread answers.
pub(super) enum Answers {
    // One answer needs no list.
    One(Option<Value>),
    Several(IntoIter<Value>),
}

impl Answers {
    pub(super) fn several(answers: Vec<Value>) -> Self {
        Self::Several(answers.into_iter())
    }

    /// Reads an answer that may have any form, but is no error.
    #[cfg(feature = "cluster")]
    pub(super) fn value(&mut self) -> Result<Value> {
        self.next()
    }

    /// Reads the remaining answers, of which there must be `count`, with errors among them.
    #[cfg(feature = "cluster")]
    pub(super) fn raw(&mut self, count: usize) -> Result<Vec<Value>> {
        let raw: Vec<Value> = match self {
            Self::One(answer) => answer.take().into_iter().collect(),
            Self::Several(answers) => answers.collect(),
        };
        match raw.len() == count {
            true => Ok(raw),
            false => Err(unreadable()),
        }
    }

    /// Reads the next `count` answers. None of them may be an error.
    pub(super) fn skip(&mut self, count: usize) -> Result<()> {
        (0..count).try_for_each(|_| self.next().map(drop))
    }

    /// Reads the remaining answers. None of them may be an error.
    pub(super) fn done(&mut self) -> Result<()> {
        let left = match self {
            Self::One(answer) => usize::from(answer.is_some()),
            Self::Several(answers) => answers.len(),
        };
        self.skip(left)
    }

    /// Reads whether a command had an effect.
    pub(super) fn flag(&mut self) -> Result<bool> {
        match self.next()? {
            Value::Okay => Ok(true),
            Value::Nil => Ok(false),
            Value::Int(count) => Ok(count > 0),
            _ => Err(unreadable()),
        }
    }

    /// Reads the remaining TTL of a record, then its value.
    pub(super) fn record(&mut self) -> Result<Option<StoredRecord>> {
        let ttl = self.number()?;
        let value = match self.next()? {
            Value::BulkString(value) => value,
            Value::Nil => return Ok(None),
            _ => return Err(unreadable()),
        };
        Ok(stored(ttl, value))
    }

    /// Reads a record of which at most [`LARGE`] bytes were requested: its remaining TTL, then
    /// the beginning of its value.
    pub(super) fn beginning(&mut self) -> Result<Beginning> {
        let ttl = self.number()?;
        let Value::BulkString(value) = self.next()? else {
            return Err(unreadable());
        };
        // No bytes: the value is empty, or the record expired between the two commands.
        if ttl != ABSENT && (value.is_empty() || value.len() >= LARGE) {
            return Ok(Beginning::Unknown);
        }
        Ok(Beginning::Whole(stored(ttl, value)))
    }

    pub(super) fn compared(&mut self) -> Result<CompareOutcome> {
        match self.next()? {
            Value::Int(1) => Ok(CompareOutcome::Applied),
            Value::Int(0) => Ok(CompareOutcome::Missing),
            Value::BulkString(held) => Ok(CompareOutcome::Mismatch(held.into())),
            _ => Err(unreadable()),
        }
    }

    pub(super) fn state(&mut self) -> Result<Option<EntryState>> {
        let score: Option<f64> = from_redis_value(self.next()?).map_err(|_| unreadable())?;
        Ok(score.map(state))
    }

    /// Reads index entries: `[member, score, …]` in RESP2, `[[member, score], …]` in RESP3.
    pub(super) fn entries(&mut self) -> Result<Vec<IndexEntry>> {
        let entries = self.array::<(Vec<u8>, f64)>()?.into_iter();
        let entry = |(member, score)| Ok(IndexEntry::new(id(member)?, state(score)));
        entries.map(entry).collect()
    }

    /// Reads a part of a scan: keys that are text, and the next cursor, `0` after the last part.
    pub(super) fn scanned(&mut self) -> Result<(Vec<String>, String)> {
        let scanned = from_redis_value(self.next()?);
        let (cursor, keys): (String, Vec<Vec<u8>>) = scanned.map_err(|_| unreadable())?;
        let keys = keys
            .into_iter()
            .filter_map(|key| String::from_utf8(key).ok());
        Ok((keys.collect(), cursor))
    }

    pub(super) fn superseded(&mut self) -> Result<SupersedeOutcome> {
        match self.next()? {
            Value::Int(0) => Ok(SupersedeOutcome::Superseded),
            Value::Int(1) => Ok(SupersedeOutcome::OldNotActive),
            Value::Int(2) => Ok(SupersedeOutcome::NewNotActive),
            _ => Err(unreadable()),
        }
    }

    /// Reads the result of an insert behind its index entries: whether there are entries, and
    /// whether those that are due were requested.
    pub(super) fn inserted(&mut self, indexed: bool, due: bool) -> Result<InsertOutcome> {
        if !self.flag()? {
            return Ok(InsertOutcome::KeyTaken);
        }
        if !indexed {
            return Ok(InsertOutcome::Inserted { due: Vec::new() });
        }
        let Some(EntryState::Active { .. }) = self.state()? else {
            return Ok(InsertOutcome::EntryLost);
        };
        let due = if due { self.entries()? } else { Vec::new() };
        Ok(InsertOutcome::Inserted { due })
    }

    fn array<T: FromRedisValue>(&mut self) -> Result<Vec<T>> {
        match self.next()? {
            array @ Value::Array(_) => from_redis_value(array).map_err(|_| unreadable()),
            _ => Err(unreadable()),
        }
    }

    fn number(&mut self) -> Result<i64> {
        match self.next()? {
            Value::Int(number) => Ok(number),
            _ => Err(unreadable()),
        }
    }

    fn next(&mut self) -> Result<Value> {
        let next = match self {
            Self::One(answer) => answer.take(),
            Self::Several(answers) => answers.next(),
        };
        match next {
            Some(Value::ServerError(answer)) => Err(error::rejected(&answer)),
            Some(answer) => Ok(answer),
            None => Err(unreadable()),
        }
    }
}

fn stored(ttl: i64, value: Vec<u8>) -> Option<StoredRecord> {
    // The record was absent when the TTL was read. An insert since then is concurrent.
    if ttl == ABSENT {
        return None;
    }
    Some(StoredRecord::new(value, duration(ttl)))
}

fn duration(ttl: i64) -> Option<Duration> {
    u64::try_from(ttl).ok().map(Duration::from_millis)
}

fn id(member: Vec<u8>) -> Result<String> {
    member::read(member).ok_or_else(unreadable)
}

fn state(score: f64) -> EntryState {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, which is right")]
    let score = score as i64;
    EntryState::from_score(score)
}

fn unreadable() -> StoreError {
    StoreError::new(StoreErrorKind::Protocol)
}
