//! Counters of the local cache.

/// Counters of the cache of a [`RedisStore`](crate::RedisStore), since the store was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct CacheStats {
    /// Reads that were served without a command.
    pub hits: u64,
    /// Reads of a session that was not in the cache.
    pub misses: u64,
    /// Entries that were removed because Redis announced a change.
    pub invalidations: u64,
    /// Reads that did not use the cache because it could be out of date: there was no connection,
    /// the last answer was too long ago, or the server announces no changes.
    pub bypasses: u64,
    /// The present number of entries.
    pub entries: usize,
    /// The present memory of the entries in bytes.
    pub bytes: usize,
}
