//! The rules of an owner index, for stores that do not implement them in scripts.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::types::{
    DELETING, Due, EntryState, IndexEntry, IndexPage, PutMode, SupersedeOutcome,
};

/// Entries of one index: session ids, each with the [score](EntryState::score) of its state.
///
/// Every method follows the rules of the [`Store`](crate::store::Store) method with the same
/// name. The entries are ordered, so that equal indexes give equal results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(crate) struct IndexEntries(BTreeMap<String, i64>);

impl IndexEntries {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn put(&mut self, member: &str, check_after: i64, mode: PutMode) {
        let score = put(self.0.get(member).copied(), check_after, mode);
        self.0.insert(member.to_owned(), score);
    }

    /// Sets the state of an entry, whatever it was.
    #[cfg(feature = "embedded")]
    pub(crate) fn set(&mut self, member: &str, state: EntryState) {
        self.0.insert(member.to_owned(), state.score());
    }

    pub(crate) fn get(&self, member: &str) -> Option<EntryState> {
        self.0.get(member).copied().map(EntryState::from_score)
    }

    pub(crate) fn page(&self, page: IndexPage<'_>) -> Vec<IndexEntry> {
        page.select(self.0.iter().map(|(member, score)| (&**member, *score)))
    }

    pub(crate) fn list(&self, due: Option<Due>) -> Vec<IndexEntry> {
        let entry = |(member, score): (&String, &i64)| {
            IndexEntry::new(member.as_str(), EntryState::from_score(*score))
        };
        let Some(due) = due else {
            return self.0.iter().map(entry).collect();
        };
        let all = self.0.iter();
        let mut entries: Vec<_> = all.filter(|(_, score)| is_due(**score, due.by)).collect();
        // The sort is stable: entries with equal scores stay in the order of their ids.
        entries.sort_by_key(|(_, score)| **score);
        entries.into_iter().take(due.limit).map(entry).collect()
    }

    pub(crate) fn remove(&mut self, members: &[&str], due_by: Option<i64>) {
        for member in members {
            if self
                .0
                .get(*member)
                .is_some_and(|score| is_removed(*score, due_by))
            {
                self.0.remove(*member);
            }
        }
    }

    pub(crate) fn tombstone_all(&mut self, keep: Option<&str>, now: i64) {
        for (member, score) in &mut self.0 {
            if keep != Some(member) {
                *score = delete(*score, now);
            }
        }
    }

    pub(crate) fn supersede(&mut self, old: &str, new: &str, now: i64) -> SupersedeOutcome {
        let is_active = |member: &str| self.0.get(member).is_some_and(|score| is_active(*score));
        if !is_active(old) {
            return SupersedeOutcome::OldNotActive;
        }
        if !is_active(new) {
            return SupersedeOutcome::NewNotActive;
        }
        let since = now.max(1);
        let superseded = EntryState::Superseded { since };
        self.0.insert(old.to_owned(), superseded.score());
        SupersedeOutcome::Superseded
    }
}

/// Returns the score of an entry that is put, whose score is `score` if it exists.
pub(crate) fn put(score: Option<i64>, check_after: i64, mode: PutMode) -> i64 {
    match score {
        Some(score) if score < lowest_put(mode) => score,
        Some(score) => check_after.max(score),
        None => check_after,
    }
}

/// Returns whether `index_remove` removes an entry with `score`.
pub(crate) fn is_removed(score: i64, due_by: Option<i64>) -> bool {
    due_by.is_none_or(|by| is_due(score, by))
}

/// Returns the lowest score of an entry that is put: one with a lower score stays as it is.
pub(crate) const fn lowest_put(mode: PutMode) -> i64 {
    match mode {
        PutMode::KeepTombstone => 0,
        PutMode::UndoSupersede => -DELETING,
        // Exact as a number of Lua and JavaScript, too.
        PutMode::Reactivate => -(1 << 53),
    }
}

/// Returns the score that `index_tombstone_all` gives to an entry with `score`.
pub(crate) fn delete(score: i64, now: i64) -> i64 {
    let since = match EntryState::from_score(score) {
        EntryState::Active { .. } => now.max(1),
        EntryState::Superseded { since } | EntryState::Deleting { since } => since,
    };
    EntryState::Deleting { since }.score()
}

fn is_active(score: i64) -> bool {
    score >= 0
}

fn is_due(score: i64, by: i64) -> bool {
    is_active(score) && score <= by
}
