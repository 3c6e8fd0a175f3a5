//! The members of an owner index.

use std::collections::BTreeMap;

use super::shelf::Weight;
use crate::store::contract::{IndexEntry, Superseded};

/// Session ids, each with its score, or `None` if it is marked as dying.
///
/// Ordered, so that equal indexes answer equally, however they came about.
#[derive(Default, Hash)]
pub(super) struct Members(BTreeMap<Box<str>, Option<i64>>);

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
        matches!(self.0.get(member), Some(Some(_)))
    }

    /// Enters `member` or raises its score; a mark stays.
    pub(super) fn put(&mut self, member: &str, score: i64) {
        match self.0.get_mut(member) {
            None => drop(self.0.insert(member.into(), Some(score))),
            Some(Some(before)) => *before = score.max(*before),
            Some(None) => {}
        }
    }

    pub(super) fn remove(&mut self, members: &[&str]) {
        for member in members {
            self.0.remove(*member);
        }
    }

    /// Marks all but `keep` and returns all that are marked.
    pub(super) fn mark_all(&mut self, keep: Option<&str>) -> Vec<String> {
        for (member, score) in &mut self.0 {
            if keep != Some(&**member) {
                *score = None;
            }
        }
        let marked = self.0.iter().filter(|(_, score)| score.is_none());
        marked.map(|(member, _)| String::from(&**member)).collect()
    }

    pub(super) fn supersede(&mut self, old: &str, new: &str) -> Superseded {
        if !self.stands_unmarked(old) {
            return Superseded::OldGone;
        }
        if !self.stands_unmarked(new) {
            return Superseded::NewGone;
        }
        self.0.insert(old.into(), None);
        Superseded::Marked
    }

    pub(super) fn entries(&self) -> Vec<IndexEntry> {
        let entries = self.0.iter().map(|(member, score)| IndexEntry {
            member: String::from(&**member),
            score: *score,
        });
        entries.collect()
    }

    /// At most `limit` unmarked members with a score of at most `score`, lowest first.
    pub(super) fn due(&self, score: i64, limit: usize) -> Vec<String> {
        let unmarked = self
            .0
            .iter()
            .filter_map(|(member, at)| Some(((*at)?, member)));
        let mut due: Vec<_> = unmarked.filter(|(at, _)| *at <= score).collect();
        due.sort_unstable();
        due.truncate(limit);
        due.into_iter()
            .map(|(_, member)| String::from(&**member))
            .collect()
    }
}
