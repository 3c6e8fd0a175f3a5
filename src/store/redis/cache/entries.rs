//! The entries of a local cache, in shards.

use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use indexmap::IndexMap;
use tokio::time::Instant;

use super::settings::Cache;
use super::stats::CacheStats;
use crate::store::memo::Memo;
use crate::store::types::StoredRecord;

const MAX_SHARDS: usize = 64;
/// A shard has at least this share of the limits, so that a small cache holds what it may.
const MIN_ENTRIES: usize = 16;
const MIN_BYTES: usize = 256 * 1024;
/// Memory of an entry in bytes, in addition to its key and its value: 160, and what is parsed of a
/// record with up to 16 fields.
const OVERHEAD: usize = 900;
/// The number of entries among which the least recently used one is evicted. In a cache of the
/// default size these are nearly all of a shard.
const SAMPLE: usize = 128;

/// Records by key. Every key belongs to one shard.
pub(super) struct Entries {
    shards: Box<[Mutex<Shard>]>,
    hasher: RandomState,
    /// The limits of a shard.
    max_entries: usize,
    max_bytes: usize,
}

#[derive(Default)]
struct Shard {
    entries: IndexMap<Box<[u8]>, Entry>,
    bytes: usize,
    /// Raised by every change of a record. A read whose answer comes after a change is not kept:
    /// it may be older.
    sequence: u64,
    /// The number of uses so far.
    uses: u64,
    /// Where the search for an entry to remove begins.
    search_from: usize,
    hits: u64,
    misses: u64,
    invalidations: u64,
}

/// Record with the time until which it may be served.
pub(super) struct Entry {
    pub(super) value: Bytes,
    /// When the record expires, or earlier.
    pub(super) expires: Instant,
    /// The number of the connection that it was read over.
    pub(super) connection: u64,
    /// What was parsed of the value.
    parsed: Memo,
    /// The number of the last use.
    used: u64,
}

impl Entry {
    pub(super) fn new(value: Bytes, expires: Instant, connection: u64) -> Self {
        Self {
            value,
            expires,
            connection,
            parsed: Memo::default(),
            used: 0,
        }
    }
}

impl Entries {
    pub(super) fn new(settings: &Cache) -> Self {
        let shards = (settings.max_entries / MIN_ENTRIES).min(settings.max_bytes / MIN_BYTES);
        let shards = shards.clamp(1, MAX_SHARDS);
        Self {
            shards: (0..shards).map(|_| Mutex::default()).collect(),
            hasher: RandomState::new(),
            max_entries: settings.max_entries / shards,
            max_bytes: settings.max_bytes / shards,
        }
    }

    /// Returns the record that was read over `connection` and has not expired at `now`; otherwise
    /// the sequence number for [`keep`](Self::keep).
    pub(super) fn find(
        &self,
        key: &[u8],
        connection: u64,
        now: Instant,
    ) -> Result<StoredRecord, u64> {
        let shard = &mut *self.shard(key);
        if let Some(entry) = shard.entries.get_mut(key)
            && entry.connection == connection
            && now < entry.expires
        {
            shard.uses += 1;
            entry.used = shard.uses;
            shard.hits += 1;
            let mut record = StoredRecord::new(entry.value.clone(), Some(entry.expires - now));
            record.parsed = Some(entry.parsed.clone());
            return Ok(record);
        }
        shard.misses += 1;
        Err(shard.sequence)
    }

    /// Returns the sequence number for [`keep`](Self::keep).
    pub(super) fn sequence(&self, key: &[u8]) -> u64 {
        self.shard(key).sequence
    }

    /// Adds what was read after `sequence` was returned, unless a record of the shard has changed
    /// since then.
    pub(super) fn keep(&self, key: &[u8], sequence: u64, mut entry: Entry) {
        let size = size(key, &entry);
        if size > self.max_bytes {
            return;
        }
        let shard = &mut *self.shard(key);
        if shard.sequence != sequence {
            return;
        }
        shard.uses += 1;
        entry.used = shard.uses;
        shard.bytes += size;
        if let Some(replaced) = shard.entries.insert(key.into(), entry) {
            shard.bytes -= self::size(key, &replaced);
        }
        while shard.entries.len() > self.max_entries || shard.bytes > self.max_bytes {
            shard.evict();
        }
    }

    /// Removes an entry because its record changes. What is being read is not kept.
    pub(super) fn remove(&self, key: &[u8]) {
        self.shard(key).remove(key);
    }

    /// As [`remove`](Self::remove), and counts an entry. Returns how many there were.
    pub(super) fn invalidate(&self, key: &[u8]) -> u64 {
        let mut shard = self.shard(key);
        let removed = u64::from(shard.remove(key));
        shard.invalidations += removed;
        removed
    }

    /// As [`invalidate`](Self::invalidate) for all keys.
    pub(super) fn invalidate_all(&self) -> u64 {
        let mut all = 0;
        for mut shard in self.shards() {
            let removed = shard.retain(|_| false);
            shard.invalidations += removed;
            all += removed;
        }
        all
    }

    /// Removes what was read over `connection`.
    pub(super) fn remove_connection(&self, connection: u64) {
        for mut shard in self.shards() {
            shard.retain(|entry| entry.connection != connection);
        }
    }

    /// Returns the counters.
    pub(super) fn stats(&self) -> CacheStats {
        let mut stats = CacheStats::default();
        for shard in self.shards() {
            stats.hits += shard.hits;
            stats.misses += shard.misses;
            stats.invalidations += shard.invalidations;
            stats.entries += shard.entries.len();
            stats.bytes += shard.bytes;
        }
        stats
    }

    fn shard(&self, key: &[u8]) -> MutexGuard<'_, Shard> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "any bits of a hash will do"
        )]
        let hash = self.hasher.hash_one(key) as usize;
        lock(&self.shards[hash % self.shards.len()])
    }

    fn shards(&self) -> impl Iterator<Item = MutexGuard<'_, Shard>> {
        self.shards.iter().map(lock)
    }
}

impl Shard {
    /// Returns whether there was an entry.
    fn remove(&mut self, key: &[u8]) -> bool {
        self.sequence += 1;
        let removed = self.entries.swap_remove(key);
        if let Some(entry) = &removed {
            self.bytes -= size(key, entry);
        }
        removed.is_some()
    }

    /// Removes the entries for which `keep` is false, and returns how many there were.
    fn retain(&mut self, keep: impl Fn(&Entry) -> bool) -> u64 {
        self.sequence += 1;
        let before = self.entries.len();
        let bytes = &mut self.bytes;
        self.entries.retain(|key, entry| {
            let kept = keep(entry);
            if !kept {
                *bytes -= size(key, entry);
            }
            kept
        });
        (before - self.entries.len()) as u64
    }

    /// Removes the least recently used entry of a sample.
    fn evict(&mut self) {
        let count = self.entries.len();
        let places = (0..count.min(SAMPLE)).map(|step| (self.search_from + step) % count);
        let Some(place) = places.min_by_key(|&place| self.entries[place].used) else {
            return;
        };
        self.search_from = (self.search_from + SAMPLE) % count;
        if let Some((key, entry)) = self.entries.swap_remove_index(place) {
            self.bytes -= size(&key, &entry);
        }
    }
}

const fn size(key: &[u8], entry: &Entry) -> usize {
    key.len() + entry.value.len() + OVERHEAD
}

fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn entries(settings: Cache) -> (Entries, Instant) {
        (Entries::new(&settings), Instant::now())
    }

    fn entry(value: &[u8], now: Instant) -> Entry {
        let value = Bytes::copy_from_slice(value);
        Entry::new(value, now + Duration::from_secs(9), 1)
    }

    /// Keeps an entry of 10 bytes.
    fn keep(entries: &Entries, key: &str, now: Instant) {
        let sequence = entries.sequence(key.as_bytes());
        entries.keep(key.as_bytes(), sequence, entry(&[b'v'; 10], now));
    }

    fn holds(entries: &Entries, key: &str, now: Instant) -> bool {
        entries.find(key.as_bytes(), 1, now).is_ok()
    }

    #[test]
    fn an_entry_is_found_until_it_expires_and_for_its_connection() {
        let (entries, now) = entries(Cache::new());
        keep(&entries, "a", now);
        let found = entries.find(b"a", 1, now).unwrap();
        assert_eq!(found.value, [b'v'; 10][..]);
        assert_eq!(found.ttl, Some(Duration::from_secs(9)));
        assert!(!holds(&entries, "a", now + Duration::from_secs(9)));
        assert!(entries.find(b"a", 2, now).is_err());
        entries.remove_connection(2);
        assert!(holds(&entries, "a", now));
        entries.remove_connection(1);
        assert!(!holds(&entries, "a", now));
        let stats = entries.stats();
        assert_eq!((stats.hits, stats.misses), (2, 3));
        assert_eq!((stats.entries, stats.bytes), (0, 0));
    }

    #[test]
    fn what_was_read_before_a_change_is_not_kept() {
        let (entries, now) = entries(Cache::new());
        type Change = fn(&Entries);
        let changes: [Change; 4] = [
            |entries| entries.remove(b"a"),
            |entries| assert_eq!(entries.invalidate(b"a"), 1),
            |entries| assert_eq!(entries.invalidate_all(), 1),
            |entries| entries.remove_connection(1),
        ];
        for change in changes {
            keep(&entries, "a", now);
            let sequence = entries.sequence(b"a");
            change(&entries);
            assert!(!holds(&entries, "a", now));
            entries.keep(b"a", sequence, entry(b"old", now));
            assert!(!holds(&entries, "a", now));
        }
        assert_eq!(entries.stats().invalidations, 2);
    }

    #[test]
    fn the_least_recently_used_entry_is_evicted() {
        let (entries, now) = entries(Cache::new().max_entries(3));
        for key in ["a", "b", "c"] {
            keep(&entries, key, now);
        }
        assert!(holds(&entries, "a", now));
        keep(&entries, "d", now);
        keep(&entries, "e", now);
        let held: Vec<_> = ["a", "b", "c", "d", "e"]
            .into_iter()
            .filter(|key| holds(&entries, key, now))
            .collect();
        assert_eq!(held, ["a", "d", "e"]);
    }

    #[test]
    fn bytes_are_limited_and_counted() {
        let each = 1 + 10 + OVERHEAD;
        let (entries, now) = entries(Cache::new().max_bytes(2 * each));
        for key in ["a", "b", "a", "c"] {
            keep(&entries, key, now);
        }
        let stats = entries.stats();
        assert_eq!((stats.entries, stats.bytes), (2, 2 * each));
        assert!(!holds(&entries, "b", now));
        let large = vec![0; 2 * each];
        entries.keep(b"a", entries.sequence(b"a"), entry(&large, now));
        assert!(
            holds(&entries, "a", now),
            "one that can never fit is not kept"
        );
        assert_eq!(entries.stats().bytes, 2 * each);
    }

    #[test]
    fn a_large_cache_stays_within_its_limits() {
        let (entries, now) = entries(Cache::new().max_entries(5000));
        for key in 0..20_000 {
            keep(&entries, &format!("key {key}"), now);
        }
        let held = entries.stats().entries;
        assert!((4900..=5000).contains(&held), "{held}");
        let (entries, now) = self::entries(Cache::new().max_entries(0));
        keep(&entries, "a", now);
        assert_eq!(entries.stats().entries, 0);
    }
}
