//! What a memory store holds, and what each step does to it.

use std::collections::HashMap;
use std::time::Duration;

use bytes::Bytes;

use crate::store::error::{Result, StoreErrorKind};
use crate::store::index_entries::IndexEntries;
use crate::store::types::{CompareOutcome, NewEntry, NewRecord, PutMode, StoredRecord};

/// The capacity in index entries per record: entries of ended sessions that were not pruned yet
/// are kept beside those of live ones.
const MEMBERS_PER_RECORD: usize = 2;

/// Fewer values than this are not searched for expired ones.
const FEW: usize = 64;

/// All records and indexes of a store, each with the time at which it expires.
#[derive(Clone)]
pub(super) struct Contents {
    values: HashMap<Box<str>, Expiring>,
    /// The time of the present step, in Unix milliseconds.
    pub(super) now: i64,
    pub(super) max_records: usize,
    /// The number of records, with the expired ones that were not removed yet.
    records: usize,
    /// The number of entries of all indexes, also of expired ones.
    members: usize,
    /// The number of values at which expired ones are removed next.
    purge_at: usize,
    /// No value expires before this time, so a full store need not check every value.
    earliest: i64,
}

#[derive(Clone)]
struct Expiring {
    value: Value,
    expires: i64,
}

#[derive(Clone, Hash)]
enum Value {
    Record(Bytes),
    Index(IndexEntries),
}

impl Contents {
    pub(super) fn new(max_records: usize) -> Self {
        Self {
            values: HashMap::new(),
            now: 0,
            max_records,
            records: 0,
            members: 0,
            purge_at: FEW,
            earliest: i64::MAX,
        }
    }

    pub(super) fn clear(&mut self) {
        *self = Self::new(self.max_records);
    }

    /// Returns the number of live records.
    pub(super) fn len(&self) -> usize {
        let live = self.values.values().filter(|held| held.expires > self.now);
        live.filter(|held| matches!(held.value, Value::Record(_)))
            .count()
    }

    /// Hashes the live values in the order of their keys, with their remaining TTL.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        use std::hash::Hash as _;

        let values = self.values.iter();
        let mut live: Vec<_> = values.filter(|(_, held)| held.expires > self.now).collect();
        live.sort_unstable_by_key(|(key, _)| *key);
        live.len().hash(hasher);
        for (key, held) in live {
            (key, &held.value, held.expires - self.now).hash(hasher);
        }
    }

    pub(super) fn load(&mut self, key: &str) -> Result<Option<StoredRecord>> {
        let now = self.now;
        Ok(self.record(key)?.map(|(value, expires)| {
            let ttl = Duration::from_millis(expires.abs_diff(now));
            StoredRecord::new(value.clone(), Some(ttl))
        }))
    }

    pub(super) fn insert(&mut self, record: NewRecord<'_>) -> Result<bool> {
        if self.record(record.key)?.is_some() {
            return Ok(false);
        }
        self.ensure_capacity(|this| this.records >= this.max_records)?;
        let value = Value::Record(Bytes::copy_from_slice(record.value));
        self.put(record.key, value, record.ttl);
        Ok(true)
    }

    /// Replaces the record by `new`, or deletes it, if it holds `expected`.
    pub(super) fn compare_and_swap(
        &mut self,
        key: &str,
        expected: &[u8],
        new: Option<NewRecord<'_>>,
    ) -> Result<CompareOutcome> {
        let new = new.map(|new| (Bytes::copy_from_slice(new.value), self.expiry(new.ttl)));
        let (held, expires) = match self.record(key)? {
            None => return Ok(CompareOutcome::Missing),
            Some((held, _)) if held != expected => {
                return Ok(CompareOutcome::Mismatch(held.clone()));
            }
            Some(record) => record,
        };
        match new {
            Some(new) => {
                let at = new.1;
                (*held, *expires) = new;
                self.earliest = self.earliest.min(at);
            }
            None => self.remove(key),
        }
        Ok(CompareOutcome::Applied)
    }

    pub(super) fn set_ttl(&mut self, key: &str, ttl: Duration) -> Result<bool> {
        let new = self.expiry(ttl);
        let Some((_, expires)) = self.record(key)? else {
            return Ok(false);
        };
        *expires = new;
        self.earliest = self.earliest.min(new);
        Ok(true)
    }

    pub(super) fn delete(&mut self, key: &str) -> Result<bool> {
        let exists = self.record(key)?.is_some();
        self.remove(key);
        Ok(exists)
    }

    pub(super) fn index_put(&mut self, entry: NewEntry<'_>, mode: PutMode) -> Result<()> {
        let is_known = |entries: &mut IndexEntries| entries.contains(entry.member);
        if !self.index(entry.index, is_known)? {
            self.ensure_capacity(|this| this.members / MEMBERS_PER_RECORD >= this.max_records)?;
        }
        if self.live(entry.index).is_none() {
            let empty = Value::Index(IndexEntries::default());
            self.put(entry.index, empty, entry.ttl);
        }
        self.index(entry.index, |entries| {
            entries.put(entry.member, entry.check_after, mode);
        })?;
        let expires = self.expiry(entry.ttl);
        if let Some(index) = self.live(entry.index) {
            index.expires = index.expires.max(expires);
        }
        Ok(())
    }

    /// Runs `change` on the entries of an index. An absent index is empty, and an index that is
    /// empty afterwards is removed.
    pub(super) fn index<T>(
        &mut self,
        index: &str,
        change: impl FnOnce(&mut IndexEntries) -> T,
    ) -> Result<T> {
        let entries = match self.live(index).map(|held| &mut held.value) {
            None => return Ok(change(&mut IndexEntries::default())),
            Some(Value::Index(entries)) => entries,
            Some(Value::Record(_)) => return Err(StoreErrorKind::WrongType.into()),
        };
        let before = entries.len();
        let result = change(entries);
        let after = entries.len();
        self.members = self.members + after - before;
        if after == 0 {
            self.remove(index);
        }
        Ok(result)
    }

    /// Returns the live record of `key` and its expiry.
    fn record(&mut self, key: &str) -> Result<Option<(&mut Bytes, &mut i64)>> {
        match self.live(key) {
            None => Ok(None),
            Some(Expiring {
                value: Value::Record(value),
                expires,
            }) => Ok(Some((value, expires))),
            // As in Redis: a key holds a record or an index.
            Some(_) => Err(StoreErrorKind::WrongType.into()),
        }
    }

    /// Returns the live value of `key`. Removes it if it has expired.
    fn live(&mut self, key: &str) -> Option<&mut Expiring> {
        if self.values.get(key)?.expires <= self.now {
            self.remove(key);
        }
        self.values.get_mut(key)
    }

    /// Adds a value under a key that is absent.
    fn put(&mut self, key: &str, value: Value, ttl: Duration) {
        // Whenever the number of values has doubled, so that the work is a constant per write.
        if self.values.len() >= self.purge_at {
            self.purge();
        }
        let expires = self.expiry(ttl);
        let (records, members) = value.size();
        self.records += records;
        self.members += members;
        self.earliest = self.earliest.min(expires);
        self.values.insert(key.into(), Expiring { value, expires });
    }

    fn remove(&mut self, key: &str) {
        if let Some(held) = self.values.remove(key) {
            let (records, members) = held.value.size();
            self.records -= records;
            self.members -= members;
        }
    }

    /// Removes all expired values.
    fn purge(&mut self) {
        self.values.retain(|_, held| held.expires > self.now);
        self.purge_at = FEW.max(2 * self.values.len());
        let sizes = self.values.values().map(|held| held.value.size());
        (self.records, self.members) =
            sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1));
        let expiries = self.values.values().map(|held| held.expires);
        self.earliest = expiries.min().unwrap_or(i64::MAX);
    }

    /// Removes expired values if the store is full, and fails if it is full even then.
    fn ensure_capacity(&mut self, is_full: fn(&Self) -> bool) -> Result<()> {
        // Nothing expires before `earliest`: a store that stays full must not check all its
        // values for each write that it rejects.
        if is_full(self) && self.now >= self.earliest {
            self.purge();
        }
        if is_full(self) {
            return Err(StoreErrorKind::Full.into());
        }
        Ok(())
    }

    /// Returns the time `ttl` from now, at least a millisecond later.
    fn expiry(&self, ttl: Duration) -> i64 {
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        self.now.saturating_add(ttl.max(1))
    }
}

impl Value {
    /// Returns how many records and how many index entries this is.
    fn size(&self) -> (usize, usize) {
        match self {
            Self::Record(_) => (1, 0),
            Self::Index(entries) => (0, entries.len()),
        }
    }
}

#[cfg(test)]
mod tests;
