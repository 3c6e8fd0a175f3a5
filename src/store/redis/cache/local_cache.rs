//! Reads and writes of the local cache.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use tokio::time::Instant;

use super::entries::{Entries, Entry};
use super::proof::Proof;
use super::settings::Cache;
use super::stats::CacheStats;
use crate::counters;
use crate::store::error::StoreError;
use crate::store::types::StoredRecord;

/// Cache of the records of one server that this process has read.
pub(in crate::store::redis) struct LocalCache {
    entries: Entries,
    pub(super) settings: Cache,
    bypasses: AtomicU64,
    /// The number of connections so far.
    connections: AtomicU64,
    is_rejected: AtomicBool,
}

/// Result of looking for a record.
pub(in crate::store::redis) enum Lookup {
    Hit(StoredRecord),
    /// The record must be read. What is read can be kept if there is a [`Reading`].
    Miss(Option<Reading>),
}

/// A read of a record that is not in the cache, begun before it is sent.
pub(in crate::store::redis) struct Reading {
    cache: Arc<LocalCache>,
    proof: Arc<Proof>,
    sequence: u64,
    start: Instant,
}

/// A write. Its records leave the cache before it is sent, and again when this is dropped: after
/// the answer, after an error, or with a caller that waits no longer.
pub(in crate::store::redis) struct Writing<'a> {
    cache: &'a LocalCache,
    keys: Vec<&'a [u8]>,
}

impl LocalCache {
    pub(in crate::store::redis) fn new(settings: Cache) -> Arc<Self> {
        Arc::new(Self {
            entries: Entries::new(&settings),
            settings,
            bypasses: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            is_rejected: AtomicBool::new(false),
        })
    }

    /// Looks for a record that was read over the connection of `proof`, which must be in use.
    pub(super) fn find(self: &Arc<Self>, key: &str, proof: &Arc<Proof>) -> Lookup {
        let start = Instant::now();
        let key = key.as_bytes();
        // Before the entry is looked at, so that the announcements that the proof is about have
        // been handled then.
        let sequence = if proof.covers(self.settings.max_staleness, start) {
            match self.entries.find(key, proof.connection, start) {
                Ok(record) => {
                    counters::cache_hit();
                    return Lookup::Hit(record);
                }
                Err(sequence) => {
                    counters::cache_miss();
                    sequence
                }
            }
        } else {
            self.count_bypass();
            self.entries.sequence(key)
        };
        Lookup::Miss(Some(Reading {
            cache: Arc::clone(self),
            proof: Arc::clone(proof),
            sequence,
            start,
        }))
    }

    /// Counts a read for which the cache could not be used.
    pub(in crate::store::redis) fn count_bypass(&self) {
        self.bypasses.fetch_add(1, Ordering::Relaxed);
        counters::cache_bypass();
    }

    /// Begins a write of the records under `keys`.
    pub(in crate::store::redis) fn write<'a>(&'a self, keys: Vec<&'a [u8]>) -> Writing<'a> {
        let writing = Writing { cache: self, keys };
        writing.remove();
        writing
    }

    /// Removes the record under `key`, of which Redis has announced a change.
    pub(super) fn invalidate(&self, key: &[u8]) {
        counters::cache_invalidations(self.entries.invalidate(key));
    }

    /// Removes all records, because Redis has announced that all may have changed.
    pub(super) fn invalidate_all(&self) {
        counters::cache_invalidations(self.entries.invalidate_all());
    }

    /// Removes what was read over the connection of `proof`, which has ended.
    pub(super) fn remove_connection(&self, proof: &Proof) {
        self.entries.remove_connection(proof.connection);
    }

    /// Returns the number for a new connection.
    pub(super) fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed)
    }

    /// Warns, once, that the server does not announce changes.
    pub(super) fn rejected(&self, error: &StoreError) {
        if !self.is_rejected.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                %error,
                "redis rejects CLIENT TRACKING, so sessions are not cached; \
                 allow +client|tracking"
            );
        }
    }

    /// Returns the counters.
    pub(in crate::store::redis) fn stats(&self) -> CacheStats {
        let mut stats = self.entries.stats();
        stats.bypasses = self.bypasses.load(Ordering::Relaxed);
        stats
    }
}

impl Reading {
    /// Keeps the record that was read under `key`, unless it may have changed in the meantime.
    ///
    /// The answer must have come over the connection that was in use at the beginning, or over a
    /// later one: then that connection is not in use any more, and its entries are not served.
    pub(in crate::store::redis) fn keep(self, key: &str, record: &StoredRecord) {
        let expires = record.ttl.and_then(|ttl| self.start.checked_add(ttl));
        // Checked before the sequence: the end of a connection first clears this flag, and then
        // raises the sequence.
        let Some(expires) = expires.filter(|_| self.proof.is_on()) else {
            return;
        };
        let entry = Entry::new(record.value.clone(), expires, self.proof.connection);
        let entries = &self.cache.entries;
        entries.keep(key.as_bytes(), self.sequence, entry);
    }
}

impl Writing<'_> {
    fn remove(&self) {
        for key in &self.keys {
            self.cache.entries.remove(key);
        }
    }
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Returns a cache, and a connection on which everything was announced for now.
    fn proven() -> (Arc<LocalCache>, Arc<Proof>) {
        let cache = LocalCache::new(Cache::new().max_staleness(Duration::from_secs(60)));
        let proof = Arc::new(Proof::new(cache.next_connection(), None));
        proof.set_on(true);
        proof.answered.record(Instant::now());
        (cache, proof)
    }

    /// Begins a read, which must be a miss.
    fn begin(cache: &Arc<LocalCache>, proof: &Arc<Proof>) -> Reading {
        match cache.find("k", proof) {
            Lookup::Miss(reading) => reading.unwrap(),
            Lookup::Hit(_) => panic!("served"),
        }
    }

    fn keep(reading: Reading) {
        let ttl = Some(Duration::from_secs(9));
        reading.keep("k", &StoredRecord::new(&b"v"[..], ttl));
    }

    fn is_hot(cache: &Arc<LocalCache>, proof: &Arc<Proof>) -> bool {
        matches!(cache.find("k", proof), Lookup::Hit(_))
    }

    #[test]
    fn a_record_is_not_served_during_a_write_and_not_kept_from_before_its_end() {
        let (cache, proof) = proven();
        keep(begin(&cache, &proof));
        assert!(is_hot(&cache, &proof));
        let writing = cache.write(vec![b"other", b"k"]);
        let during = begin(&cache, &proof);
        drop(writing);
        keep(during);
        assert!(!is_hot(&cache, &proof));
        let writing = cache.write(vec![b"k"]);
        keep(begin(&cache, &proof));
        drop(writing);
        assert!(!is_hot(&cache, &proof));
    }

    #[test]
    fn a_connection_that_ended_neither_keeps_nor_serves() {
        let (cache, proof) = proven();
        let reading = begin(&cache, &proof);
        proof.set_on(false);
        keep(reading);
        proof.set_on(true);
        assert!(!is_hot(&cache, &proof));
        keep(begin(&cache, &proof));
        assert!(is_hot(&cache, &proof));
        proof.set_on(false);
        assert!(!is_hot(&cache, &proof));
    }

    #[test]
    fn a_record_that_does_not_expire_is_not_kept() {
        let (cache, proof) = proven();
        let reading = begin(&cache, &proof);
        reading.keep("k", &StoredRecord::new(&b"v"[..], None));
        assert!(!is_hot(&cache, &proof));
    }

    #[tokio::test(start_paused = true)]
    async fn the_time_to_live_runs_from_before_the_read() {
        let (cache, proof) = proven();
        let reading = begin(&cache, &proof);
        tokio::time::advance(Duration::from_secs(5)).await;
        keep(reading);
        assert!(is_hot(&cache, &proof));
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(!is_hot(&cache, &proof));
    }

    #[test]
    fn reads_are_counted() {
        let (cache, proof) = proven();
        keep(begin(&cache, &proof));
        assert!(is_hot(&cache, &proof));
        proof.set_on(false);
        begin(&cache, &proof);
        cache.count_bypass();
        let stats = cache.stats();
        assert_eq!((stats.hits, stats.misses, stats.bypasses), (1, 1, 2));
    }
}
