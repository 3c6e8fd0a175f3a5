//! The rules of an index, for stores that keep one index as one value.

use std::collections::BTreeMap;

use crate::store::types::{EntryState, IndexEntry, IndexFilter, PutMode, SupersedeOutcome};

/// Entries of one index: session ids, each with its [`EntryState`].
///
/// Every method follows the rules of the [`Store`](crate::store::Store) method with the same
/// name. The entries are ordered, so that equal indexes give equal results.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct IndexEntries(BTreeMap<String, EntryState>);

impl IndexEntries {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn put(&mut self, member: &str, check_after: i64, mode: PutMode) {
        let put = EntryState::Active { check_after };
        let Some(state) = self.0.get_mut(member) else {
            self.0.insert(member.to_owned(), put);
            return;
        };
        match (*state, mode) {
            (EntryState::Active { check_after: old }, _) if old >= check_after => {}
            (EntryState::Deleting { .. }, PutMode::KeepTombstone) => {}
            _ => *state = put,
        }
    }

    pub(crate) fn get(&self, member: &str) -> Option<EntryState> {
        self.0.get(member).copied()
    }

    pub(crate) fn list(&self, filter: IndexFilter) -> Vec<IndexEntry> {
        let all = self.0.iter();
        let all = all.map(|(member, state)| IndexEntry::new(member.as_str(), *state));
        let IndexFilter::Due(due) = filter else {
            return all.collect();
        };
        let mut entries: Vec<_> = all.filter(|entry| is_due(entry.state, due.by)).collect();
        // The sort is stable: entries with equal scores stay in the order of their ids.
        entries.sort_by_key(|entry| entry.state.score());
        entries.truncate(due.limit);
        entries
    }

    pub(crate) fn remove(&mut self, members: &[&str], due_by: Option<i64>) {
        for member in members {
            if due_by.is_none_or(|by| self.get(member).is_some_and(|state| is_due(state, by))) {
                self.0.remove(*member);
            }
        }
    }

    pub(crate) fn tombstone_all(&mut self, keep: Option<&str>, now: i64) -> Vec<String> {
        let mut tombstones = Vec::new();
        for (member, state) in &mut self.0 {
            if matches!(state, EntryState::Active { .. }) {
                if keep == Some(member) {
                    continue;
                }
                *state = EntryState::Deleting { since: now };
            }
            tombstones.push(member.clone());
        }
        tombstones
    }

    pub(crate) fn supersede(&mut self, old: &str, new: &str, now: i64) -> SupersedeOutcome {
        if !self.is_active(old) {
            return SupersedeOutcome::OldNotActive;
        }
        if !self.is_active(new) {
            return SupersedeOutcome::NewNotActive;
        }
        self.0
            .insert(old.to_owned(), EntryState::Deleting { since: now });
        SupersedeOutcome::Superseded
    }

    /// Returns the members with their states as numbers, for serialization.
    pub(crate) fn scores(&self) -> impl Iterator<Item = (&str, i64)> {
        let entries = self.0.iter();
        entries.map(|(member, state)| (member.as_str(), state.score()))
    }

    fn is_active(&self, member: &str) -> bool {
        matches!(self.get(member), Some(EntryState::Active { .. }))
    }
}

impl<M: Into<String>> FromIterator<(M, i64)> for IndexEntries {
    fn from_iter<I: IntoIterator<Item = (M, i64)>>(scores: I) -> Self {
        let entries = scores.into_iter();
        Self(
            entries
                .map(|(member, score)| (member.into(), EntryState::from_score(score)))
                .collect(),
        )
    }
}

fn is_due(state: EntryState, by: i64) -> bool {
    matches!(state, EntryState::Active { check_after } if check_after <= by)
}
