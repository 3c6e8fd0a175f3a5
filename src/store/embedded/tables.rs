//! The steps of the store contract in a write transaction.

use std::time::Duration;

use redb::{ReadableTable, Table, WriteTransaction};

use super::error::Step;
use super::queries::{by_score, is_live, record};
use super::schema::{ENTRIES, INDEXES, RECORDS, SCORES};
use crate::store::index_entries::{self, IndexEntries};
use crate::store::types::{
    CompareOutcome, Due, EntryState, IndexEntry, NewEntry, NewRecord, PutMode, StoredRecord,
    SupersedeOutcome,
};

/// The tables in a write transaction. Each step sees those before it.
pub(super) struct Tables<'t> {
    records: Table<'t, &'static str, (i64, &'static [u8])>,
    indexes: Table<'t, &'static str, i64>,
    entries: Table<'t, (&'static str, &'static str), i64>,
    scores: Table<'t, (&'static str, i64, &'static str), ()>,
    /// The time of the steps, in Unix milliseconds.
    now: i64,
    /// The keys of the records that were changed.
    pub(super) changed: Vec<String>,
}

impl<'t> Tables<'t> {
    pub(super) fn open(transaction: &'t WriteTransaction, now: i64) -> Step<Self> {
        Ok(Self {
            records: transaction.open_table(RECORDS)?,
            indexes: transaction.open_table(INDEXES)?,
            entries: transaction.open_table(ENTRIES)?,
            scores: transaction.open_table(SCORES)?,
            now,
            changed: Vec::new(),
        })
    }

    pub(super) fn load(&self, key: &str) -> Step<Option<StoredRecord>> {
        record(&self.records, key, self.now)
    }

    pub(super) fn insert(&mut self, new: NewRecord<'_>) -> Step<bool> {
        let is_absent = self.load(new.key)?.is_none();
        if is_absent {
            self.put(new)?;
        }
        Ok(is_absent)
    }

    /// Replaces the record by `new`, or deletes it, if it holds `expected`.
    pub(super) fn compare_and_swap(
        &mut self,
        key: &str,
        expected: &[u8],
        new: Option<NewRecord<'_>>,
    ) -> Step<CompareOutcome> {
        let Some(held) = self.load(key)? else {
            return Ok(CompareOutcome::Missing);
        };
        if held.value != expected {
            return Ok(CompareOutcome::Mismatch(held.value));
        }
        match new {
            Some(new) => self.put(new)?,
            None => self.remove(key)?,
        }
        Ok(CompareOutcome::Applied)
    }

    /// Sets the TTL of a record that is not a redirect, if its value starts with `prefix`.
    pub(super) fn set_ttl_if(
        &mut self,
        key: &str,
        prefix: &[u8],
        ttl: Duration,
    ) -> Step<CompareOutcome> {
        let held = self.load(key)?;
        let Some(held) = held.filter(|held| !held.is_redirect()) else {
            return Ok(CompareOutcome::Missing);
        };
        if !held.value.starts_with(prefix) {
            return Ok(CompareOutcome::Mismatch(held.value));
        }
        self.put(NewRecord::new(key, &held.value, ttl))?;
        Ok(CompareOutcome::Applied)
    }

    pub(super) fn delete(&mut self, key: &str) -> Step<bool> {
        let held = self.load(key)?;
        if held.as_ref().is_some_and(StoredRecord::is_redirect) {
            return Ok(false);
        }
        self.remove(key)?;
        Ok(held.is_some())
    }

    fn put(&mut self, new: NewRecord<'_>) -> Step<()> {
        let expires = self.expiry(new.ttl);
        self.records.insert(new.key, (expires, new.value))?;
        self.changed.push(new.key.to_owned());
        Ok(())
    }

    fn remove(&mut self, key: &str) -> Step<()> {
        self.records.remove(key)?;
        self.changed.push(key.to_owned());
        Ok(())
    }

    pub(super) fn index_put(&mut self, entry: NewEntry<'_>, mode: PutMode) -> Step<()> {
        let NewEntry { index, member, .. } = entry;
        let mut expires = self.expiry(entry.ttl);
        let held = self.indexes.get(index)?.map(|held| held.value());
        match held {
            Some(held) if held > self.now => expires = expires.max(held),
            Some(_) => self.remove_index(index)?,
            None => {}
        }
        let score = self.score(index, member)?;
        let score = index_entries::put(score, entry.check_after, mode);
        self.set_score(index, member, Some(score))?;
        self.indexes.insert(index, expires)?;
        Ok(())
    }

    pub(super) fn index_get(&self, index: &str, member: &str) -> Step<Option<EntryState>> {
        if !is_live(&self.indexes, index, self.now)? {
            return Ok(None);
        }
        let score = self.score(index, member)?;
        Ok(score.map(EntryState::from_score))
    }

    pub(super) fn index_list(&self, index: &str, due: Option<Due>) -> Step<Vec<IndexEntry>> {
        if is_live(&self.indexes, index, self.now)? {
            by_score(&self.scores, index, due)
        } else {
            Ok(Vec::new())
        }
    }

    pub(super) fn index_remove<'m>(
        &mut self,
        index: &str,
        members: impl IntoIterator<Item = &'m str>,
        due_by: Option<i64>,
    ) -> Step<()> {
        if !is_live(&self.indexes, index, self.now)? {
            return Ok(());
        }
        for member in members {
            let score = self.score(index, member)?;
            if score.is_some_and(|score| index_entries::is_removed(score, due_by)) {
                self.set_score(index, member, None)?;
            }
        }
        let mut left = self.entries.range((index, "")..)?;
        let is_empty = match left.next() {
            Some(entry) => entry?.0.value().0 != index,
            None => true,
        };
        drop(left);
        if is_empty {
            self.indexes.remove(index)?;
        }
        Ok(())
    }

    pub(super) fn index_tombstone_all(
        &mut self,
        index: &str,
        keep: Option<&str>,
        now: i64,
    ) -> Step<()> {
        for IndexEntry { member, state } in self.index_list(index, None)? {
            let score = index_entries::delete(state.score(), now);
            if keep != Some(&*member) && score != state.score() {
                self.set_score(index, &member, Some(score))?;
            }
        }
        Ok(())
    }

    pub(super) fn index_supersede(
        &mut self,
        index: &str,
        (old, new): (&str, &str),
        now: i64,
    ) -> Step<SupersedeOutcome> {
        let mut pair = IndexEntries::default();
        for member in [old, new] {
            if let Some(state) = self.index_get(index, member)? {
                pair.set(member, state);
            }
        }
        let outcome = pair.supersede(old, new, now);
        if outcome == SupersedeOutcome::Superseded {
            let state = pair.get(old);
            self.set_score(index, old, state.map(EntryState::score))?;
        }
        Ok(outcome)
    }

    /// Sets the score of an entry, or removes the entry.
    fn set_score(&mut self, index: &str, member: &str, score: Option<i64>) -> Step<()> {
        if let Some(old) = self.score(index, member)? {
            self.scores.remove((index, old, member))?;
        }
        match score {
            Some(score) => {
                self.entries.insert((index, member), score)?;
                self.scores.insert((index, score, member), ())?;
            }
            None => drop(self.entries.remove((index, member))?),
        }
        Ok(())
    }

    /// Deletes the records of `keys` that have expired.
    pub(super) fn purge_records(&mut self, keys: &[String]) -> Step<()> {
        for key in keys {
            if self.load(key)?.is_none() {
                self.records.remove(&**key)?;
            }
        }
        Ok(())
    }

    /// Deletes the indexes of `keys` that have expired.
    pub(super) fn purge_indexes(&mut self, keys: &[String]) -> Step<()> {
        for key in keys {
            if !is_live(&self.indexes, key, self.now)? {
                self.remove_index(key)?;
            }
        }
        Ok(())
    }

    fn remove_index(&mut self, index: &str) -> Step<()> {
        for entry in by_score(&self.scores, index, None)? {
            self.set_score(index, &entry.member, None)?;
        }
        self.indexes.remove(index)?;
        Ok(())
    }

    fn score(&self, index: &str, member: &str) -> Step<Option<i64>> {
        Ok(self
            .entries
            .get((index, member))?
            .map(|score| score.value()))
    }

    /// Returns the time `ttl` from now, at least a millisecond later.
    fn expiry(&self, ttl: Duration) -> i64 {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        self.now.saturating_add(ttl.max(1))
    }
}
