//! The members of an owner index.

use std::collections::BTreeMap;

use super::shelf::Weight;
use crate::store::legacy::{IndexEntry, Standing, Superseded};

/// Session ids, and how each stands.
///
/// Ordered, so that equal indexes answer equally, however they came about.
#[derive(Default, Hash)]
pub(super) struct Members(BTreeMap<Box<str>, Standing>);

impl Weight for Members {
    fn weight(&self) -> usize {
        self.0.len()
    }
}

impl Members {
    pub(super) fn contains(&self, member: &str) -> bool {
        self.0.contains_key(member)
    }

    pub(super) fn stands_unmarked(&self, member: &str) -> bool {
        matches!(self.0.get(member), Some(Standing::Live { .. }))
    }

    /// Enters `member` or raises its score; a mark stays.
    pub(super) fn put(&mut self, member: &str, score: i64) {
        match self.0.get_mut(member) {
            None => drop(self.0.insert(member.into(), Standing::Live { score })),
            Some(Standing::Live { score: before }) => *before = score.max(*before),
            Some(Standing::Dying { .. }) => {}
        }
    }

    /// Enters `member` or raises its score, and takes its mark away.
    pub(super) fn unmark(&mut self, member: &str, score: i64) {
        if !self.stands_unmarked(member) {
            self.0.remove(member);
        }
        self.put(member, score);
    }

    pub(super) fn remove(&mut self, members: &[&str]) {
        for member in members {
            self.0.remove(*member);
        }
    }

    pub(super) fn prune(&mut self, members: &[&str], due: i64) {
        for member in members {
            if matches!(self.0.get(*member), Some(Standing::Live { score }) if *score <= due) {
                self.0.remove(*member);
            }
        }
    }

    /// Marks all but `keep` and returns all that are marked.
    pub(super) fn mark_all(&mut self, keep: Option<&str>, now: i64) -> Vec<String> {
        for (member, standing) in &mut self.0 {
            if keep != Some(&**member) && matches!(standing, Standing::Live { .. }) {
                *standing = Standing::Dying { since: now };
            }
        }
        let marked = self
            .0
            .iter()
            .filter(|(_, how)| matches!(how, Standing::Dying { .. }));
        marked.map(|(member, _)| String::from(&**member)).collect()
    }

    pub(super) fn supersede(&mut self, old: &str, new: &str, now: i64) -> Superseded {
        if !self.stands_unmarked(old) {
            return Superseded::OldGone;
        }
        if !self.stands_unmarked(new) {
            return Superseded::NewGone;
        }
        self.0.insert(old.into(), Standing::Dying { since: now });
        Superseded::Marked
    }

    pub(super) fn entries(&self) -> Vec<IndexEntry> {
        let entries = self.0.iter().map(|(member, standing)| IndexEntry {
            member: String::from(&**member),
            standing: *standing,
        });
        entries.collect()
    }

    /// At most `limit` unmarked members with a score of at most `score`, lowest first.
    pub(super) fn due(&self, score: i64, limit: usize) -> Vec<String> {
        let unmarked = self
            .0
            .iter()
            .filter_map(|(member, standing)| match standing {
                Standing::Live { score } => Some((*score, member)),
                Standing::Dying { .. } => None,
            });
        let mut due: Vec<_> = unmarked.filter(|(at, _)| *at <= score).collect();
        due.sort_unstable();
        due.truncate(limit);
        due.into_iter()
            .map(|(_, member)| String::from(&**member))
            .collect()
    }
}
