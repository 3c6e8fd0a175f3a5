//! The commands that the Redis store still encodes; replaced by the typed contract.
#![allow(dead_code, missing_docs, unreachable_pub)]

use std::fmt;
use std::time::Duration;

use bytes::Bytes;

/// One atomic step on one name.
///
/// `Debug` prints the kind of command only, never a name or a value.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Command<'a> {
    /// Reads the record and its remaining time to live. Redis: `GET` and `PTTL`.
    /// Answered by [`Reply::Record`].
    Load {
        /// The record's name.
        key: &'a str,
    },
    /// Writes the record if there is none. Redis: `SET NX PX`.
    /// Answered by [`Reply::Applied`]: false if a record stood there, which is untouched.
    Insert {
        /// The record's name.
        key: &'a str,
        /// What to store.
        value: &'a [u8],
        /// Its time to live, at least a millisecond.
        ttl: Duration,
    },
    /// Overwrites the record if there is one. Redis: `SET XX PX`.
    /// Answered by [`Reply::Applied`]: false if it is gone; nothing is written then.
    Replace {
        /// The record's name.
        key: &'a str,
        /// What to store.
        value: &'a [u8],
        /// Its new time to live, at least a millisecond.
        ttl: Duration,
    },
    /// Sets the record's time to live. Redis: `PEXPIRE`.
    /// Answered by [`Reply::Applied`]: false if it is gone.
    Expire {
        /// The record's name.
        key: &'a str,
        /// Its new time to live, at least a millisecond.
        ttl: Duration,
    },
    /// Deletes the record. Redis: `DEL`.
    /// Answered by [`Reply::Applied`]: false if it was gone already.
    Delete {
        /// The record's name.
        key: &'a str,
    },
    /// Overwrites the record if it holds exactly the bytes `expected`. Redis: a script.
    /// Answered by [`Reply::Compared`].
    CompareAndSet {
        /// The record's name.
        key: &'a str,
        /// What it must hold.
        expected: &'a [u8],
        /// What to store.
        value: &'a [u8],
        /// Its new time to live, at least a millisecond.
        ttl: Duration,
    },
    /// Deletes the record if it holds exactly the bytes `expected`. Redis: a script.
    /// Answered by [`Reply::Compared`].
    CompareAndDelete {
        /// The record's name.
        key: &'a str,
        /// What it must hold.
        expected: &'a [u8],
    },
    /// Enters `member` into the index, or raises its score, and lets the index live at least
    /// `ttl` longer. A score is never lowered, so a member marked as dying stays marked, and the
    /// index's time to live is never shortened. Redis: a script of `ZADD GT` and `PEXPIRE`.
    /// Answered by [`Reply::Done`].
    IndexPut {
        /// The index's name.
        index: &'a str,
        /// The session id.
        member: &'a str,
        /// Unix seconds before which the record need not be checked, at least 0.
        score: i64,
        /// How long the index must live, at least a millisecond.
        ttl: Duration,
    },
    /// As [`Command::IndexPut`], but takes a mark away. Redis: a script of `ZADD` and `PEXPIRE`.
    /// Answered by [`Reply::Done`].
    IndexUnmark {
        /// The index's name.
        index: &'a str,
        /// The session id.
        member: &'a str,
        /// Unix seconds before which the record need not be checked, at least 0.
        score: i64,
        /// How long the index must live, at least a millisecond.
        ttl: Duration,
    },
    /// Asks whether `member` stands in the index unmarked. Redis: `ZSCORE`.
    /// Answered by [`Reply::Applied`].
    IndexCheck {
        /// The index's name.
        index: &'a str,
        /// The session id.
        member: &'a str,
    },
    /// Removes `members`, marked or not. Redis: `ZREM`. Answered by [`Reply::Done`].
    IndexRemove {
        /// The index's name.
        index: &'a str,
        /// The session ids; none is allowed.
        members: &'a [&'a str],
    },
    /// Removes those of `members` that stand unmarked with a score of at most `score`: a member
    /// that somebody has put again meanwhile stays. Redis: a script of `ZSCORE` and `ZREM`.
    /// Answered by [`Reply::Done`].
    IndexPrune {
        /// The index's name.
        index: &'a str,
        /// The session ids; none is allowed.
        members: &'a [&'a str],
        /// Unix seconds.
        score: i64,
    },
    /// Marks every member but `keep` as dying and returns all that are marked, those marked
    /// before included. Redis: a script. Answered by [`Reply::Members`].
    IndexMarkAll {
        /// The index's name.
        index: &'a str,
        /// The session id that is left alone.
        keep: Option<&'a str>,
        /// Unix seconds, at least 1: when the mark was set. An earlier mark keeps its time.
        now: i64,
    },
    /// Marks `old` as dying if both `old` and `new` stand in the index unmarked. Redis: a script.
    /// Answered by [`Reply::Superseded`].
    IndexSupersede {
        /// The index's name.
        index: &'a str,
        /// The session id to mark.
        old: &'a str,
        /// The session id that takes its place; may be `old` itself.
        new: &'a str,
        /// Unix seconds, at least 1: when the mark was set.
        now: i64,
    },
    /// Lists the index. Redis: `ZRANGE WITHSCORES`. Answered by [`Reply::Entries`].
    IndexEntries {
        /// The index's name.
        index: &'a str,
    },
    /// Lists at most `limit` unmarked members whose score is at most `score`, lowest first.
    /// Redis: `ZRANGEBYSCORE LIMIT`. Answered by [`Reply::Members`].
    IndexDue {
        /// The index's name.
        index: &'a str,
        /// Unix seconds.
        score: i64,
        /// How many at the most.
        limit: usize,
    },
}

impl Command<'_> {
    /// The command's kind in `snake_case`, as logs and metrics name it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Load { .. } => "load",
            Self::Insert { .. } => "insert",
            Self::Replace { .. } => "replace",
            Self::Expire { .. } => "expire",
            Self::Delete { .. } => "delete",
            Self::CompareAndSet { .. } => "compare_and_set",
            Self::CompareAndDelete { .. } => "compare_and_delete",
            Self::IndexPut { .. } => "index_put",
            Self::IndexUnmark { .. } => "index_unmark",
            Self::IndexCheck { .. } => "index_check",
            Self::IndexRemove { .. } => "index_remove",
            Self::IndexPrune { .. } => "index_prune",
            Self::IndexMarkAll { .. } => "index_mark_all",
            Self::IndexSupersede { .. } => "index_supersede",
            Self::IndexEntries { .. } => "index_entries",
            Self::IndexDue { .. } => "index_due",
        }
    }

    /// Whether the command only reads, so that it may be sent again after a broken connection.
    #[must_use]
    pub const fn is_read(&self) -> bool {
        matches!(
            self,
            Self::Load { .. }
                | Self::IndexCheck { .. }
                | Self::IndexEntries { .. }
                | Self::IndexDue { .. }
        )
    }
}

impl fmt::Debug for Command<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a [`Command`] came to.
///
/// `Debug` prints no data.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reply {
    /// The record, or `None` if it is absent.
    Record(Option<Stored>),
    /// Whether the command did, or found, what it says.
    Applied(bool),
    /// How the comparison came out.
    Compared(Compared),
    /// The command was carried out; there is nothing more to say.
    Done,
    /// Session ids, in no particular order.
    Members(Vec<String>),
    /// How the supersession came out.
    Superseded(Superseded),
    /// The members of the index, in no particular order.
    Entries(Vec<IndexEntry>),
    /// What stands under the record's name is not a record (Redis: `WRONGTYPE`); it is left
    /// alone. May answer any command on a record.
    Foreign,
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Record(record) => f.debug_tuple("Record").field(record).finish(),
            Self::Applied(applied) => f.debug_tuple("Applied").field(applied).finish(),
            Self::Compared(compared) => f.debug_tuple("Compared").field(compared).finish(),
            Self::Done => f.write_str("Done"),
            Self::Members(members) => write!(f, "Members({})", members.len()),
            Self::Superseded(superseded) => f.debug_tuple("Superseded").field(superseded).finish(),
            Self::Entries(entries) => write!(f, "Entries({})", entries.len()),
            Self::Foreign => f.write_str("Foreign"),
        }
    }
}

/// A record as the store holds it.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// The bytes.
    pub value: Bytes,
    /// The remaining time to live; `None` if the record does not expire.
    pub ttl: Option<Duration>,
}

impl fmt::Debug for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({} bytes, ttl {:?})", self.value.len(), self.ttl)
    }
}

/// How a comparison came out; `Debug` prints no data.
#[derive(Clone, PartialEq, Eq)]
pub enum Compared {
    /// The record held the expected bytes; the command was carried out.
    Equal,
    /// The record holds other bytes, these; nothing was written.
    Different(Bytes),
    /// The record is gone; nothing was written.
    Gone,
}

impl fmt::Debug for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "Equal",
            Self::Different(_) => "Different",
            Self::Gone => "Gone",
        })
    }
}

/// How [`Command::IndexSupersede`] came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Superseded {
    /// Both stood unmarked; the old one is marked now.
    Marked,
    /// The old one is marked or missing; nothing was done.
    OldGone,
    /// The old one stands unmarked, the new one does not; nothing was done.
    NewGone,
}

/// A member of an owner index; `Debug` does not print its name.
#[derive(Clone, PartialEq, Eq)]
pub struct IndexEntry {
    /// The session id.
    pub member: String,
    /// How it stands.
    pub standing: Standing,
}

impl fmt::Debug for IndexEntry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("IndexEntry").field(&self.standing).finish()
    }
}

/// How a member of an owner index stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Unmarked. Redis: the score, 0 or more.
    Live {
        /// Unix seconds before which the record need not be checked.
        score: i64,
    },
    /// Marked as dying. Redis: the score is `since` negated, below 0.
    Dying {
        /// Unix seconds, at least 1: when it was marked.
        since: i64,
    },
}
