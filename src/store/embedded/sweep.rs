//! Deletes expired records and indexes, which reads ignore.

use std::ops::Bound;
use std::time::{Duration, Instant};

use redb::{TableDefinition, Value};

use super::error::Step;
use super::file::SessionFile;
use super::schema::{INDEXES, RECORDS};
use super::tables::Tables;
use crate::store::error::Result;

/// The pause between two searches of the whole file.
const INTERVAL: Duration = Duration::from_secs(60);

/// The pause between two parts of a search, in which steps are run.
const BREATH: Duration = Duration::from_millis(10);

/// The number of values in one part.
const PART: usize = 2000;

/// A search that goes through the file in parts.
#[derive(Default)]
pub(super) struct Sweep {
    position: Position,
    due: Option<Instant>,
}

/// The last key that was searched.
#[derive(Default)]
enum Position {
    #[default]
    Start,
    Records(String),
    Indexes(Option<String>),
}

/// Keys that have expired.
pub(super) enum Expired {
    Records(Vec<String>),
    Indexes(Vec<String>),
}

impl Sweep {
    /// Returns the time until the next part is due.
    pub(super) fn pause(&self) -> Duration {
        let now = Instant::now();
        self.due
            .map_or(Duration::ZERO, |due| due.saturating_duration_since(now))
    }

    /// Searches the next part for keys that have expired at `now`.
    pub(super) fn find(&mut self, file: &SessionFile, now: i64) -> Result<Expired> {
        self.due = Some(Instant::now() + BREATH);
        let (expired, last) = match &self.position {
            Position::Start => records(file, None, now)?,
            Position::Records(after) => records(file, Some(after), now)?,
            Position::Indexes(after) => indexes(file, after.as_deref(), now)?,
        };
        self.position = match (&expired, last) {
            (Expired::Records(_), Some(last)) => Position::Records(last),
            (Expired::Records(_), None) => Position::Indexes(None),
            (Expired::Indexes(_), Some(last)) => Position::Indexes(Some(last)),
            (Expired::Indexes(_), None) => {
                self.due = Some(Instant::now() + INTERVAL);
                Position::Start
            }
        };
        Ok(expired)
    }
}

impl Expired {
    pub(super) fn is_empty(&self) -> bool {
        let (Self::Records(keys) | Self::Indexes(keys)) = self;
        keys.is_empty()
    }

    /// Deletes the keys, unless they are in use again.
    pub(super) fn delete(&self, tables: &mut Tables<'_>) -> Step<()> {
        match self {
            Self::Records(keys) => tables.purge_records(keys),
            Self::Indexes(keys) => tables.purge_indexes(keys),
        }
    }
}

fn records(file: &SessionFile, after: Option<&str>, now: i64) -> Result<(Expired, Option<String>)> {
    let (keys, last) = part(file, RECORDS, after, |(expires, _)| expires <= now)?;
    Ok((Expired::Records(keys), last))
}

fn indexes(file: &SessionFile, after: Option<&str>, now: i64) -> Result<(Expired, Option<String>)> {
    let (keys, last) = part(file, INDEXES, after, |expires| expires <= now)?;
    Ok((Expired::Indexes(keys), last))
}

/// Returns the keys after `after` whose value `is_expired`, and the last key unless the table ends.
fn part<V: Value>(
    file: &SessionFile,
    table: TableDefinition<'static, &'static str, V>,
    after: Option<&str>,
    is_expired: impl Fn(V::SelfType<'_>) -> bool,
) -> Result<(Vec<String>, Option<String>)> {
    file.read(|transaction| {
        let (mut expired, mut last, mut count) = (Vec::new(), None, 0);
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let table = transaction.open_table(table)?;
        for entry in table.range::<&str>((start, Bound::Unbounded))?.take(PART) {
            let (key, value) = entry?;
            count += 1;
            if is_expired(value.value()) {
                expired.push(key.value().to_owned());
            }
            if count == PART {
                last = Some(key.value().to_owned());
            }
        }
        Ok((expired, last))
    })
}
