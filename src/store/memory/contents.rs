//! What a memory store holds, and what each step does to it.

use std::time::Duration;

use bytes::Bytes;

use super::expiring_map::{Entry, ExpiringMap, Weight, expiry};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::index_entries::IndexEntries;
use crate::store::types::{CompareOutcome, NewEntry, NewRecord, PutMode, StoredRecord};

/// The capacity in index entries per record: entries of ended sessions that were not pruned yet
/// are kept beside those of live ones.
const ENTRIES_PER_RECORD: usize = 2;

/// All records and indexes of a store. Times are in Unix milliseconds.
pub(super) struct Contents {
    records: ExpiringMap<Bytes>,
    indexes: ExpiringMap<IndexEntries>,
}

impl Weight for Bytes {
    fn weight(&self) -> usize {
        1
    }
}

impl Weight for IndexEntries {
    fn weight(&self) -> usize {
        self.len()
    }
}

impl Contents {
    pub(super) fn new(capacity: usize) -> Self {
        Self {
            records: ExpiringMap::new(capacity),
            indexes: ExpiringMap::new(capacity.saturating_mul(ENTRIES_PER_RECORD)),
        }
    }

    pub(super) fn set_capacity(&mut self, capacity: usize) {
        self.records.set_capacity(capacity);
        self.indexes
            .set_capacity(capacity.saturating_mul(ENTRIES_PER_RECORD));
    }

    pub(super) fn len(&self, now: i64) -> usize {
        self.records.live_weight(now)
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

    pub(super) fn load(&mut self, key: &str, now: i64) -> Result<Option<StoredRecord>, StoreError> {
        let record = self.record(key, now)?;
        Ok(record.map(|record| {
            let ttl = Duration::from_millis(record.expires.abs_diff(now));
            StoredRecord::new(record.value.clone(), Some(ttl))
        }))
    }

    pub(super) fn insert(&mut self, record: NewRecord<'_>, now: i64) -> Result<bool, StoreError> {
        self.records.sweep(now);
        if self.record(record.key, now)?.is_some() {
            return Ok(false);
        }
        if !self.records.has_room(now) {
            return Err(StoreErrorKind::Full.into());
        }
        let value = Bytes::copy_from_slice(record.value);
        self.records.put(record.key, value, expiry(now, record.ttl));
        Ok(true)
    }

    pub(super) fn compare_and_set(
        &mut self,
        expected: &[u8],
        record: NewRecord<'_>,
        now: i64,
    ) -> Result<CompareOutcome, StoreError> {
        let expires = expiry(now, record.ttl);
        match self.record(record.key, now)? {
            None => return Ok(CompareOutcome::Missing),
            Some(held) if held.value != expected => {
                return Ok(CompareOutcome::Mismatch(held.value.clone()));
            }
            Some(held) => {
                held.value = Bytes::copy_from_slice(record.value);
                held.expires = expires;
            }
        }
        self.records.note_expiry(expires);
        Ok(CompareOutcome::Applied)
    }

    pub(super) fn compare_and_delete(
        &mut self,
        key: &str,
        expected: &[u8],
        now: i64,
    ) -> Result<CompareOutcome, StoreError> {
        match self.record(key, now)? {
            None => return Ok(CompareOutcome::Missing),
            Some(held) if held.value != expected => {
                return Ok(CompareOutcome::Mismatch(held.value.clone()));
            }
            Some(_) => {}
        }
        self.records.remove(key, now);
        Ok(CompareOutcome::Applied)
    }

    pub(super) fn set_ttl(
        &mut self,
        key: &str,
        ttl: Duration,
        now: i64,
    ) -> Result<bool, StoreError> {
        let expires = expiry(now, ttl);
        let Some(record) = self.record(key, now)? else {
            return Ok(false);
        };
        record.expires = expires;
        self.records.note_expiry(expires);
        Ok(true)
    }

    pub(super) fn delete(&mut self, key: &str, now: i64) -> Result<bool, StoreError> {
        Ok(self.record(key, now)?.is_some() && self.records.remove(key, now))
    }

    pub(super) fn index_put(
        &mut self,
        entry: NewEntry<'_>,
        mode: PutMode,
        now: i64,
    ) -> Result<(), StoreError> {
        self.refuse_record(entry.index, now)?;
        self.indexes.sweep(now);
        let index = self.indexes.get(entry.index, now);
        let known = index.is_some_and(|index| index.value.contains(entry.member));
        if !known && !self.indexes.has_room(now) {
            return Err(StoreErrorKind::Full.into());
        }
        let expires = expiry(now, entry.ttl);
        if self.indexes.get(entry.index, now).is_none() {
            let empty = IndexEntries::default();
            self.indexes.put(entry.index, empty, expires);
        }
        self.index(entry.index, now, |entries| {
            entries.put(entry.member, entry.check_after, mode);
        })?;
        if let Some(index) = self.indexes.get(entry.index, now) {
            index.expires = index.expires.max(expires);
        }
        Ok(())
    }

    /// Runs `change` on the entries of an index. An absent index is empty, and an index that is
    /// empty afterwards is removed.
    pub(super) fn index<T>(
        &mut self,
        index: &str,
        now: i64,
        change: impl FnOnce(&mut IndexEntries) -> T,
    ) -> Result<T, StoreError> {
        self.refuse_record(index, now)?;
        let Some(held) = self.indexes.get(index, now) else {
            return Ok(change(&mut IndexEntries::default()));
        };
        let before = held.value.weight();
        let result = change(&mut held.value);
        let (after, empty) = (held.value.weight(), held.value.is_empty());
        self.indexes.reweigh(before, after);
        if empty {
            self.indexes.remove(index, now);
        }
        Ok(result)
    }

    /// Returns the live record of `key`. As in Redis, the key of an index is not a record's.
    fn record(&mut self, key: &str, now: i64) -> Result<Option<&mut Entry<Bytes>>, StoreError> {
        match self.records.get(key, now) {
            None if self.indexes.contains(key, now) => Err(StoreErrorKind::WrongType.into()),
            record => Ok(record),
        }
    }

    /// As in Redis, the key of a record is not an index's.
    fn refuse_record(&self, index: &str, now: i64) -> Result<(), StoreError> {
        if self.records.contains(index, now) {
            Err(StoreErrorKind::WrongType.into())
        } else {
            Ok(())
        }
    }
}
