//! What a memory store holds.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::clock::Clock;
use crate::store::error::{Result, StoreErrorKind};
use crate::store::index_entries::IndexEntries;
use crate::store::types::{CompareOutcome, NewRecord, StoredRecord, lowest};

/// The capacity in index entries per record: entries of ended sessions that were not pruned yet
/// are kept as well as those of live ones.
const MEMBERS_PER_RECORD: usize = 2;

/// Fewer values than this are not searched for expired ones.
const FEW: usize = 64;

/// All records and indexes of a store, each with the time at which it expires.
#[derive(Clone)]
pub(super) struct Contents {
    pub(super) clock: Arc<dyn Clock>,
    /// The time of the present step, in Unix milliseconds.
    pub(super) now: i64,
    pub(super) max_records: usize,
    pub(super) values: HashMap<Box<str>, Expiring>,
    /// The number of records, with the expired ones that were not removed yet.
    records: usize,
    /// The number of entries of all indexes, also of expired ones.
    members: usize,
    /// The number of values at which expired ones are removed next.
    purge_at: usize,
    /// No value expires before this time, so a full store need not check every value.
    earliest: i64,
}

/// A value, and the Unix milliseconds at which it expires.
type Expiring = (Value, i64);

#[derive(Clone, Hash)]
pub(super) enum Value {
    Record(Bytes),
    Index(IndexEntries),
}

impl Contents {
    pub(super) fn new(clock: Arc<dyn Clock>, max_records: usize) -> Self {
        Self {
            clock,
            now: 0,
            max_records,
            values: HashMap::new(),
            records: 0,
            members: 0,
            purge_at: FEW,
            earliest: i64::MAX,
        }
    }

    fn live(&self) -> impl Iterator<Item = (&str, &Expiring)> {
        let values = self.values.iter().map(|(key, held)| (&**key, held));
        values.filter(|(_, (_, expires))| *expires > self.now)
    }

    /// Returns the number of live records.
    pub(super) fn len(&self) -> usize {
        let is_record = |held: &Expiring| matches!(held.0, Value::Record(_));
        self.live().filter(|(_, held)| is_record(held)).count()
    }

    /// Hashes the live values in the order of their keys, with their remaining TTL.
    #[cfg(any(test, feature = "test-util"))]
    pub(super) fn fingerprint(&self, hasher: &mut impl std::hash::Hasher) {
        use std::hash::Hash as _;

        let mut live: Vec<_> = self.live().collect();
        live.sort_unstable_by_key(|(key, _)| *key);
        live.len().hash(hasher);
        for (key, (value, expires)) in live {
            (key, value, expires - self.now).hash(hasher);
        }
    }

    fn get(&self, key: &str) -> Option<&Expiring> {
        let held = self.values.get(key);
        held.filter(|(_, expires)| *expires > self.now)
    }

    /// Returns the `limit` lowest keys that begin with `prefix` and follow `after`.
    pub(super) fn scan(&self, prefix: &str, after: Option<&str>, limit: usize) -> Vec<String> {
        let keys = self.live().map(|(key, _)| key);
        let keys = keys.filter(|key| key.starts_with(prefix) && after.is_none_or(|it| *key > it));
        let keys = lowest(keys, limit);
        keys.into_iter().map(str::to_owned).collect()
    }

    /// Returns the record of `key` with its remaining TTL.
    pub(super) fn record(&self, key: &str) -> Result<Option<StoredRecord>> {
        match self.get(key) {
            None => Ok(None),
            Some((Value::Record(value), expires)) => {
                let ttl = Duration::from_millis(expires.abs_diff(self.now));
                Ok(Some(StoredRecord::new(value.clone(), Some(ttl))))
            }
            // As in Redis: a key holds a record or an index.
            Some((Value::Index(_), _)) => Err(StoreErrorKind::WrongType.into()),
        }
    }

    /// Adds or replaces a record.
    pub(super) fn put_record(&mut self, record: NewRecord<'_>) {
        let value = Value::Record(Bytes::copy_from_slice(record.value));
        self.put(record.key, value, self.expiry(record.ttl));
    }

    /// Returns whether there is a record that is not a redirect.
    pub(super) fn has_session(&self, key: &str) -> Result<bool> {
        let record = self.record(key)?;
        Ok(record.is_some_and(|record| !record.is_redirect()))
    }

    /// Sets the TTL of a record in place if it is not a redirect and its value starts with `prefix`.
    pub(super) fn set_ttl_if(
        &mut self,
        key: &str,
        prefix: &[u8],
        ttl: Duration,
    ) -> Result<CompareOutcome> {
        let (held, at) = (self.record(key)?, self.expiry(ttl));
        let held = held.filter(|held| !held.is_redirect());
        let (Some(held), Some((_, expires))) = (held, self.values.get_mut(key)) else {
            return Ok(CompareOutcome::Missing);
        };
        if !held.value.starts_with(prefix) {
            return Ok(CompareOutcome::Mismatch(held.value));
        }
        *expires = at;
        self.earliest = self.earliest.min(at);
        Ok(CompareOutcome::Applied)
    }

    /// Returns the entries of an index; `None` if it is absent.
    pub(super) fn entries(&self, index: &str) -> Result<Option<&IndexEntries>> {
        match self.get(index) {
            None => Ok(None),
            Some((Value::Index(entries), _)) => Ok(Some(entries)),
            Some((Value::Record(_), _)) => Err(StoreErrorKind::WrongType.into()),
        }
    }

    /// Runs `change` on the entries of an index, whose TTL becomes at least `ttl`. An absent index
    /// is empty, and an index that is empty afterwards is absent.
    pub(super) fn index<T>(
        &mut self,
        index: &str,
        ttl: Duration,
        change: impl FnOnce(&mut IndexEntries) -> T,
    ) -> Result<T> {
        let (at, exists) = (self.expiry(ttl), self.entries(index)?.is_some());
        let Some((Value::Index(entries), expires)) = self.values.get_mut(index).filter(|_| exists)
        else {
            let mut entries = IndexEntries::default();
            let result = change(&mut entries);
            if !entries.is_empty() {
                self.put(index, Value::Index(entries), at);
            }
            return Ok(result);
        };
        let before = entries.len();
        let result = change(entries);
        let after = entries.len();
        *expires = at.max(*expires);
        self.members = self.members + after - before;
        if after == 0 {
            self.remove(index);
        }
        Ok(result)
    }

    /// Removes expired values if so many more records and index entries exceed the capacity, and
    /// fails if they exceed it even then.
    pub(super) fn ensure_capacity(&mut self, records: usize, members: usize) -> Result<()> {
        let is_full = |this: &Self| {
            let max_members = this.max_records.saturating_mul(MEMBERS_PER_RECORD);
            this.records + records > this.max_records || this.members + members > max_members
        };
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

    fn put(&mut self, key: &str, value: Value, expires: i64) {
        self.remove(key);
        // Whenever the number of values has doubled, so that the work is a constant per write.
        if self.values.len() >= self.purge_at {
            self.purge();
        }
        let (records, members) = value.size();
        self.records += records;
        self.members += members;
        self.earliest = self.earliest.min(expires);
        self.values.insert(key.into(), (value, expires));
    }

    pub(super) fn remove(&mut self, key: &str) -> Option<Expiring> {
        let held = self.values.remove(key)?;
        let (records, members) = held.0.size();
        self.records -= records;
        self.members -= members;
        Some(held)
    }

    fn purge(&mut self) {
        self.values.retain(|_, (_, expires)| *expires > self.now);
        self.purge_at = FEW.max(2 * self.values.len());
        (self.records, self.members, self.earliest) = (0, 0, i64::MAX);
        for (value, expires) in self.values.values() {
            let (records, members) = value.size();
            self.records += records;
            self.members += members;
            self.earliest = self.earliest.min(*expires);
        }
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
