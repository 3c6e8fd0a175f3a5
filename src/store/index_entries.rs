//! The rules of an index, for stores that keep one index as one value.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::store::types::{Due, EntryState, IndexEntry, IndexPage, PutMode, SupersedeOutcome};

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
        let score = self.0.entry(member.to_owned()).or_insert(check_after);
        if is_active(*score) || mode == PutMode::Reactivate {
            *score = check_after.max(*score);
        }
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
            let score = self.0.get(*member);
            if due_by.is_none_or(|by| score.is_some_and(|score| is_due(*score, by))) {
                self.0.remove(*member);
            }
        }
    }

    pub(crate) fn tombstone_all(&mut self, keep: Option<&str>, now: i64) -> Vec<String> {
        for (member, score) in &mut self.0 {
            if is_active(*score) && keep != Some(member) {
                *score = tombstone(now);
            }
        }
        let tombstones = self.0.iter().filter(|(_, score)| !is_active(**score));
        tombstones.map(|(member, _)| member.clone()).collect()
    }

    pub(crate) fn supersede(&mut self, old: &str, new: &str, now: i64) -> SupersedeOutcome {
        let is_active = |member: &str| self.0.get(member).is_some_and(|score| is_active(*score));
        if !is_active(old) {
            return SupersedeOutcome::OldNotActive;
        }
        if !is_active(new) {
            return SupersedeOutcome::NewNotActive;
        }
        self.0.insert(old.to_owned(), tombstone(now));
        SupersedeOutcome::Superseded
    }
}

fn tombstone(now: i64) -> i64 {
    EntryState::Deleting { since: now.max(1) }.score()
}

fn is_active(score: i64) -> bool {
    score >= 0
}

fn is_due(score: i64, by: i64) -> bool {
    is_active(score) && score <= by
}
