//! Arguments and results of the [`Store`](crate::store::contract::Store) methods.
//!
//! Times of index entries are Unix seconds, not `SystemTime`: they are the scores that the format
//! defines, and a store keeps them as they are.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fmt;
use std::time::Duration;

use bytes::Bytes;

use crate::store::memo::Memo;

#[cfg(doc)]
use crate::store::contract::Store;

/// How the value of a redirect begins. No JSON begins like this.
pub(crate) const REDIRECT: &[u8] = b"->";

/// Record to write.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct NewRecord<'a> {
    /// The key of the record.
    pub key: &'a str,
    /// The value to store.
    pub value: &'a [u8],
    /// The time to live, at least one millisecond.
    pub ttl: Duration,
}

impl<'a> NewRecord<'a> {
    /// Creates a record to write.
    #[must_use]
    pub const fn new(key: &'a str, value: &'a [u8], ttl: Duration) -> Self {
        Self { key, value, ttl }
    }
}

/// Record as the store holds it.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct StoredRecord {
    /// The stored value.
    pub value: Bytes,
    /// The remaining TTL, or `None` if the record does not expire.
    pub ttl: Option<Duration>,
    /// Of a record in a cache: what was parsed of it.
    pub(crate) parsed: Option<Memo>,
}

impl StoredRecord {
    /// Creates a stored record.
    #[must_use]
    pub fn new(value: impl Into<Bytes>, ttl: Option<Duration>) -> Self {
        Self {
            value: value.into(),
            ttl,
            parsed: None,
        }
    }

    /// Returns whether the value is a redirect: it begins with `->`.
    ///
    /// [`Store::set_ttl`] and [`Store::delete`] leave a redirect unchanged.
    #[must_use]
    pub fn is_redirect(&self) -> bool {
        self.value.starts_with(REDIRECT)
    }
}

/// Result of a compare-and-set or a compare-and-delete.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CompareOutcome {
    /// The value was equal; the record was written or deleted.
    Applied,
    /// The record holds this other value; nothing was changed.
    Mismatch(Bytes),
    /// The record is absent; nothing was changed.
    Missing,
}

/// Index entry to write.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct NewEntry<'a> {
    /// The key of the index.
    pub index: &'a str,
    /// The session id.
    pub member: &'a str,
    /// Unix seconds, at least 0, before which the record need not be checked.
    pub check_after: i64,
    /// The minimum TTL of the index, at least one millisecond.
    pub ttl: Duration,
}

impl<'a> NewEntry<'a> {
    /// Creates an index entry to write.
    #[must_use]
    pub const fn new(index: &'a str, member: &'a str, check_after: i64, ttl: Duration) -> Self {
        Self {
            index,
            member,
            check_after,
            ttl,
        }
    }
}

/// Choice of what [`Store::index_put`] does with a tombstone.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PutMode {
    /// A tombstone stays a tombstone.
    KeepTombstone,
    /// A tombstone that [`Store::index_supersede`] has set becomes an active entry. One that
    /// [`Store::index_tombstone_all`] has set stays a tombstone.
    UndoSupersede,
    /// A tombstone becomes an active entry.
    Reactivate,
}

/// Selects active entries with `check_after <= by`: the lowest first, at most `limit`.
///
/// See the [module](crate::store#a-store-step-by-step) for an example of the steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// Unix seconds.
    pub by: i64,
    /// The maximum number of entries.
    pub limit: usize,
}

/// Page of an index: at most `limit` entries after a position.
///
/// The entries are ordered by their [score](EntryState::score). Entries with the same score have
/// any order that does not change. The position need not be that of an entry that still exists.
///
/// See the [module](crate::store#a-store-step-by-step) for an example of the steps.
#[derive(Clone, Copy, Debug)]
pub struct IndexPage<'a> {
    /// The last entry of the page before. `None`: the page begins with the first entry.
    pub after: Option<&'a IndexEntry>,
    /// Whether the entry with the highest score is the first one.
    pub descending: bool,
    /// The maximum number of entries.
    pub limit: usize,
}

impl<'a> IndexPage<'a> {
    /// Returns the page of `limit` entries that follow `after`, those with the lowest scores first.
    pub(crate) const fn ascending(after: Option<&'a IndexEntry>, limit: usize) -> Self {
        Self {
            after,
            descending: false,
            limit,
        }
    }

    /// Selects the entries of this page, ordered by score and member. Keeps no more than the page
    /// in memory.
    pub(crate) fn select<'e>(
        &self,
        entries: impl Iterator<Item = (&'e str, i64)>,
    ) -> Vec<IndexEntry> {
        let after = self
            .after
            .map(|entry| (entry.state.score(), &*entry.member));
        let keys = entries.map(|(member, score)| (score, member));
        let entry = |(score, member)| IndexEntry::new(member, EntryState::from_score(score));
        if self.descending {
            let keys = keys.filter(|key| after.is_none_or(|after| *key < after));
            let selected = lowest(keys.map(Reverse), self.limit).into_iter();
            return selected.map(|Reverse(key)| entry(key)).collect();
        }
        let keys = keys.filter(|key| after.is_none_or(|after| *key > after));
        lowest(keys, self.limit).into_iter().map(entry).collect()
    }
}

/// Returns the `limit` lowest of `keys`, sorted.
pub(crate) fn lowest<K: Ord>(keys: impl Iterator<Item = K>, limit: usize) -> Vec<K> {
    let mut kept = BinaryHeap::new();
    for key in keys {
        kept.push(key);
        if kept.len() > limit {
            kept.pop();
        }
    }
    kept.into_sorted_vec()
}

/// Part of the keys of a store, returned by [`Store::scan`].
///
/// See the [module](crate::store#a-store-step-by-step) for an example of the steps.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ScanPage {
    /// The keys. There may be none, even if more parts follow.
    pub keys: Vec<String>,
    /// Position of the next part, in a form that the store chooses; `None` after the last one.
    pub next: Option<String>,
}

impl ScanPage {
    /// Creates a part of the keys.
    #[must_use]
    pub const fn new(keys: Vec<String>, next: Option<String>) -> Self {
        Self { keys, next }
    }
}

/// Entry of an index.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct IndexEntry {
    /// The session id.
    pub member: String,
    /// The state of the entry.
    pub state: EntryState,
}

impl IndexEntry {
    /// Creates an index entry.
    #[must_use]
    pub fn new(member: impl Into<String>, state: EntryState) -> Self {
        Self {
            member: member.into(),
            state,
        }
    }
}

/// State of an index entry.
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum EntryState {
    /// The session may exist.
    Active {
        /// Unix seconds, at least 0, before which the record need not be checked.
        check_after: i64,
    },
    /// A tombstone of [`Store::index_supersede`]: another session replaces this one.
    Superseded {
        /// Unix seconds, at least 1, at which the tombstone was set.
        since: i64,
    },
    /// A tombstone of [`Store::index_tombstone_all`]: the session is being deleted.
    Deleting {
        /// Unix seconds, at least 1, at which the tombstone was set.
        since: i64,
    },
}

/// The scores of [`EntryState::Deleting`] are this much lower than those of
/// [`EntryState::Superseded`], so that in the order of scores they come first.
pub(crate) const DELETING: i64 = 1 << 40;

impl EntryState {
    /// Returns the state as one number: `check_after`, `-since` of a superseded entry, or
    /// `-since - 2^40` of a deleting one.
    #[must_use]
    pub const fn score(self) -> i64 {
        match self {
            Self::Active { check_after } => check_after,
            Self::Superseded { since } => -since,
            Self::Deleting { since } => (-since).saturating_sub(DELETING),
        }
    }

    /// Returns the state that [`score`](Self::score) encodes as `score`.
    #[must_use]
    pub const fn from_score(score: i64) -> Self {
        let since = score.saturating_neg();
        if score >= 0 {
            Self::Active { check_after: score }
        } else if since > DELETING {
            let since = since - DELETING;
            Self::Deleting { since }
        } else {
            Self::Superseded { since }
        }
    }
}

/// Result of [`Store::index_supersede`].
///
/// See the [module](crate::store#a-store-step-by-step) for an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SupersedeOutcome {
    /// Both were active; `old` is a tombstone now.
    Superseded,
    /// `old` is absent or a tombstone; nothing was changed.
    OldNotActive,
    /// `old` is active but `new` is not; nothing was changed.
    NewNotActive,
}

/// Result of [`Store::insert_indexed`].
///
/// See the [module](crate::store#a-store-step-by-step) for an example of the steps.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum InsertOutcome {
    /// The record was inserted and its entry is active.
    Inserted {
        /// The entries of the last index that are due.
        due: Vec<IndexEntry>,
    },
    /// Another record exists under this key; it was not changed.
    KeyTaken,
    /// The record was inserted, but its entry was removed or became a tombstone in the meantime:
    /// the caller must delete the record.
    EntryLost,
}

/// Implements `Debug` without keys, session ids and values.
macro_rules! debug_without_data {
    ($($ty:ty: |$this:ident| $format:literal, $($arg:expr),+;)+) => {$(
        impl fmt::Debug for $ty {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let $this = self;
                write!(f, $format, $($arg),+)
            }
        }
    )+};
}

debug_without_data! {
    NewRecord<'_>: |this| "NewRecord({} bytes)", this.value.len();
    StoredRecord: |this| "StoredRecord({} bytes, ttl {:?})", this.value.len(), this.ttl;
    NewEntry<'_>: |this| "NewEntry(check_after {})", this.check_after;
    IndexEntry: |this| "IndexEntry({:?})", this.state;
    ScanPage: |this| "ScanPage({} keys)", this.keys.len();
    CompareOutcome: |this| "{}", match this {
        Self::Applied => "Applied",
        Self::Mismatch(_) => "Mismatch",
        Self::Missing => "Missing",
    };
}
