//! What each command does to the things kept.

use std::time::Duration;

use bytes::Bytes;

use super::members::Members;
use super::shelf::{Shelf, Slot, Weight, expiry};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Command, Compared, Reply, Stored, Superseded};

/// Index entries per record that a store has room for: those of ended sessions, not pruned yet,
/// stand beside those of living ones.
const ENTRIES_PER_RECORD: usize = 2;

/// Everything a store keeps.
pub(super) struct Shelves {
    records: Shelf<Bytes>,
    indexes: Shelf<Members>,
}

impl Weight for Bytes {
    fn weight(&self) -> usize {
        1
    }
}

impl Shelves {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            records: Shelf::new(capacity),
            indexes: Shelf::new(capacity.saturating_mul(ENTRIES_PER_RECORD)),
        }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.records.set_capacity(capacity);
        self.indexes
            .set_capacity(capacity.saturating_mul(ENTRIES_PER_RECORD));
    }

    pub(super) fn len(&self, now: i64) -> usize {
        self.records.living(now)
    }

    pub(super) fn clear(&mut self) {
        self.records.clear();
        self.indexes.clear();
    }

    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn fingerprint(&self, now: i64, hasher: &mut impl std::hash::Hasher) {
        self.records.fingerprint(now, hasher);
        self.indexes.fingerprint(now, hasher);
    }

    pub(super) fn apply(&mut self, command: &Command<'_>, now: i64) -> Result<Reply, StoreError> {
        match *command {
            Command::Load { key } => Ok(self.load(key, now)),
            Command::Insert { key, value, ttl } => self.insert(key, value, ttl, now),
            Command::Replace { key, value, ttl } => Ok(self.alter(key, now, |slot| {
                slot.thing = Bytes::copy_from_slice(value);
                slot.expires = expiry(now, ttl);
            })),
            Command::Expire { key, ttl } => {
                Ok(self.alter(key, now, |slot| slot.expires = expiry(now, ttl)))
            }
            Command::Delete { key } => Ok(self.delete(key, now)),
            Command::CompareAndSet {
                key,
                expected,
                value,
                ttl,
            } => Ok(self.compare_and_set(key, expected, value, expiry(now, ttl), now)),
            Command::CompareAndDelete { key, expected } => {
                Ok(self.compare_and_delete(key, expected, now))
            }
            _ => self.apply_to_index(command, now),
        }
    }

    fn apply_to_index(&mut self, command: &Command<'_>, now: i64) -> Result<Reply, StoreError> {
        match *command {
            Command::IndexPut {
                index,
                member,
                score,
                ttl,
            } => self.index_put(index, ttl, now, member, |members| {
                members.put(member, score);
            }),
            Command::IndexUnmark {
                index,
                member,
                score,
                ttl,
            } => self.index_put(index, ttl, now, member, |members| {
                members.unmark(member, score);
            }),
            Command::IndexCheck { index, member } => {
                self.index(index, now, Reply::Applied(false), |members| {
                    Reply::Applied(members.stands_unmarked(member))
                })
            }
            Command::IndexRemove {
                index,
                members: ids,
            } => self.index(index, now, Reply::Done, |members| {
                members.remove(ids);
                Reply::Done
            }),
            Command::IndexPrune {
                index,
                members: ids,
                score,
            } => self.index(index, now, Reply::Done, |members| {
                members.prune(ids, score);
                Reply::Done
            }),
            Command::IndexMarkAll {
                index,
                keep,
                now: since,
            } => self.index(index, now, Reply::Members(Vec::new()), |members| {
                Reply::Members(members.mark_all(keep, since))
            }),
            Command::IndexSupersede {
                index,
                old,
                new,
                now: since,
            } => {
                let absent = Reply::Superseded(Superseded::OldGone);
                self.index(index, now, absent, |members| {
                    Reply::Superseded(members.supersede(old, new, since))
                })
            }
            Command::IndexEntries { index } => {
                self.index(index, now, Reply::Entries(Vec::new()), |members| {
                    Reply::Entries(members.entries())
                })
            }
            Command::IndexDue {
                index,
                score,
                limit,
            } => self.index(index, now, Reply::Members(Vec::new()), |members| {
                Reply::Members(members.due(score, limit))
            }),
            Command::Load { .. }
            | Command::Insert { .. }
            | Command::Replace { .. }
            | Command::Expire { .. }
            | Command::Delete { .. }
            | Command::CompareAndSet { .. }
            | Command::CompareAndDelete { .. } => Err(StoreErrorKind::Other.into()),
        }
    }

    fn load(&mut self, key: &str, now: i64) -> Reply {
        match self.records.get(key, now) {
            Some(slot) => Reply::Record(Some(Stored {
                value: slot.thing.clone(),
                ttl: Some(Duration::from_millis(slot.expires.abs_diff(now))),
            })),
            None => self.absent(key, now, Reply::Record(None)),
        }
    }

    fn insert(
        &mut self,
        key: &str,
        value: &[u8],
        ttl: Duration,
        now: i64,
    ) -> Result<Reply, StoreError> {
        self.records.sweep(now);
        if self.records.get(key, now).is_some() {
            return Ok(Reply::Applied(false));
        }
        if self.indexes.contains(key, now) {
            return Ok(Reply::Foreign);
        }
        if !self.records.has_room(now) {
            return Err(StoreErrorKind::Full.into());
        }
        let value = Bytes::copy_from_slice(value);
        self.records.put(key, value, expiry(now, ttl));
        Ok(Reply::Applied(true))
    }

    fn alter(&mut self, key: &str, now: i64, change: impl FnOnce(&mut Slot<Bytes>)) -> Reply {
        let Some(slot) = self.records.get(key, now) else {
            return self.absent(key, now, Reply::Applied(false));
        };
        change(slot);
        let expires = slot.expires;
        self.records.noted(expires);
        Reply::Applied(true)
    }

    fn delete(&mut self, key: &str, now: i64) -> Reply {
        if self.records.remove(key, now) {
            return Reply::Applied(true);
        }
        self.absent(key, now, Reply::Applied(false))
    }

    fn compare_and_set(
        &mut self,
        key: &str,
        expected: &[u8],
        value: &[u8],
        expires: i64,
        now: i64,
    ) -> Reply {
        match self.compare(key, expected, now) {
            Ok(slot) => {
                slot.thing = Bytes::copy_from_slice(value);
                slot.expires = expires;
                self.records.noted(expires);
                Reply::Compared(Compared::Equal)
            }
            Err(unequal) => unequal,
        }
    }

    fn compare_and_delete(&mut self, key: &str, expected: &[u8], now: i64) -> Reply {
        match self.compare(key, expected, now) {
            Ok(_) => {
                self.records.remove(key, now);
                Reply::Compared(Compared::Equal)
            }
            Err(unequal) => unequal,
        }
    }

    fn compare(&mut self, key: &str, expected: &[u8], now: i64) -> Result<&mut Slot<Bytes>, Reply> {
        if self.indexes.contains(key, now) {
            return Err(Reply::Foreign);
        }
        match self.records.get(key, now) {
            Some(slot) if slot.thing == expected => Ok(slot),
            Some(slot) => Err(Reply::Compared(Compared::Different(slot.thing.clone()))),
            None => Err(Reply::Compared(Compared::Gone)),
        }
    }

    /// As in Redis, a name that stands for an index cannot be a record's.
    fn absent(&self, key: &str, now: i64, reply: Reply) -> Reply {
        if self.indexes.contains(key, now) {
            Reply::Foreign
        } else {
            reply
        }
    }

    fn index_put(
        &mut self,
        index: &str,
        ttl: Duration,
        now: i64,
        member: &str,
        enter: impl FnOnce(&mut Members),
    ) -> Result<Reply, StoreError> {
        self.refuse_record(index, now)?;
        self.indexes.sweep(now);
        let known = self.indexes.get(index, now);
        let fits =
            known.is_some_and(|slot| slot.thing.contains(member)) || self.indexes.has_room(now);
        if !fits {
            return Err(StoreErrorKind::Full.into());
        }
        let expires = expiry(now, ttl);
        if self.indexes.get(index, now).is_none() {
            self.indexes.put(index, Members::default(), expires);
        }
        self.index(index, now, Reply::Done, |members| {
            enter(members);
            Reply::Done
        })?;
        if let Some(slot) = self.indexes.get(index, now) {
            slot.expires = slot.expires.max(expires);
        }
        Ok(Reply::Done)
    }

    /// Runs `work` on the members of `index`, or answers `absent`; an index left empty is dropped.
    fn index(
        &mut self,
        index: &str,
        now: i64,
        absent: Reply,
        work: impl FnOnce(&mut Members) -> Reply,
    ) -> Result<Reply, StoreError> {
        self.refuse_record(index, now)?;
        let Some(slot) = self.indexes.get(index, now) else {
            return Ok(absent);
        };
        let before = slot.thing.weight();
        let reply = work(&mut slot.thing);
        let after = slot.thing.weight();
        self.indexes.reweigh(before, after);
        if after == 0 {
            self.indexes.remove(index, now);
        }
        Ok(reply)
    }

    /// As in Redis, a name that stands for a record cannot be an index's.
    fn refuse_record(&self, index: &str, now: i64) -> Result<(), StoreError> {
        if !self.records.contains(index, now) {
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Other).with_detail("WRONGTYPE"))
    }
}
