//! Configuration of the local cache.

use std::time::Duration;

#[cfg(doc)]
use crate::{RedisConfig, RedisStore};

/// Configuration of the cache that a [`RedisStore`] keeps in this process; see
/// [`RedisConfig::cache`].
///
/// A read of a session that this process has read before sends no command. Redis announces every
/// change of the session, by any client.
///
/// # How old a session can be
///
/// After `destroy` returned anywhere, no process serves the session for longer than
/// [`max_staleness`](Self::max_staleness), whatever happens to networks and Redis; in normal
/// operation it is a millisecond. The same holds for every other change: `update`, `rotate`,
/// `touch`, the end of the time to live, and a `DEL` by hand.
///
/// An entry is served only while the newest command that was answered on its connection was *sent*
/// less than `max_staleness` ago. All announcements of changes before that command have then
/// arrived. A connection that carries no other command sends a `PING` three times in that time.
///
/// The limits of this promise:
///
/// * It is about changes on the Redis that this process reads. If that is a former master that has
///   not noticed its replacement, reads without a cache are out of date as well. With three
///   sentinels or more, entries are served only while answers of a majority, to queries sent less
///   than `max_staleness` ago, name this master; with one or two, the answer of any counts. With a
///   plain URL whose address moves to another server, the process stays connected to the former
///   one until that closes the connection.
/// * Redis does not announce `SWAPDB`, which an operator may send by hand. Entries are then served
///   until the end of their time to live; restart the processes.
/// * A failover can lose a `destroy` that was acknowledged, with a cache and without one.
/// * It is about the moment at which the session is read. A request goes on with what it has read.
/// * Time is the monotonic clock of the process. Some systems stop it while the machine sleeps.
///
/// # What is cached
///
/// Reads of one session, as by the middleware, [`Sessions::get`](crate::Sessions::get) and
/// [`Sessions::open`](crate::Sessions::open). A write removes the entry of what it writes, before
/// it is sent and after its answer. All other operations, `reload` and `is_alive` among them, read
/// from Redis. With [`Touch::EveryRead`](crate::Touch::EveryRead) each read writes, so nothing is
/// cached. Values of 64 KiB and more, records without a time to live, and the absence of a record
/// are not cached.
///
/// # What it needs
///
/// The rules [`RedisStore::CACHE_ACL_RULES`] and a connection in RESP3, which is chosen whatever
/// the URL says. If the server rejects this, the store works without a cache and logs one line at WARN.
/// The server remembers about 160 bytes for each key, up to `tracking-table-max-keys`.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::RedisConfig;
/// use jwt_redis_session::store::Cache;
///
/// let store = RedisConfig::new("redis://127.0.0.1")
///     .cache(Cache::new().max_staleness(Duration::from_millis(100)))
///     .lazy()?;
/// let stats = store.cache_stats().expect("the store has a cache");
/// assert_eq!(stats.hits, 0);
/// # Ok::<(), jwt_redis_session::store::StoreError>(())
/// ```
#[derive(Clone, Copy, Debug)]
#[must_use]
pub struct Cache {
    pub(in crate::store::redis) max_staleness: Duration,
    pub(super) max_entries: usize,
    pub(super) max_bytes: usize,
}

/// Far from the point where the clock overflows.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// The shortest time between two `PING`s.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(1);

impl Cache {
    /// Creates a configuration with the defaults.
    pub const fn new() -> Self {
        Self {
            max_staleness: Duration::from_millis(250),
            max_entries: 10_000,
            max_bytes: 64 * 1024 * 1024,
        }
    }

    /// Sets the longest time for which a session is served that has changed or ended. Defaults to
    /// 250 milliseconds; at most 1 hour.
    ///
    /// If an answer of Redis takes longer than two thirds of it, reads go to Redis.
    pub fn max_staleness(mut self, max_staleness: Duration) -> Self {
        self.max_staleness = max_staleness.min(LONGEST);
        self
    }

    /// Sets the maximum number of entries. Defaults to 10,000.
    ///
    /// The entries are spread over up to 64 parts with equal shares of both limits. In a part that
    /// is full, the least recently used entry is evicted.
    pub const fn max_entries(mut self, max_entries: usize) -> Self {
        self.max_entries = max_entries;
        self
    }

    /// Sets the maximum memory of the entries in bytes. Defaults to 64 MiB.
    pub const fn max_bytes(mut self, max_bytes: usize) -> Self {
        self.max_bytes = max_bytes;
        self
    }

    /// Returns how often an idle connection proves that all announcements have arrived.
    pub(in crate::store::redis) fn interval(&self) -> Duration {
        (self.max_staleness / 3).max(SHORTEST_INTERVAL)
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}
