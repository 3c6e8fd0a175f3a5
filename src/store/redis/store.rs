//! The Redis store.

use std::fmt;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;

use super::cache::CacheStats;
use super::client::Client;
use super::config::RedisConfig;
use super::server_info::ServerInfo;
use crate::store::error::Result;
#[cfg(doc)]
use crate::store::error::StoreError;

/// Store that keeps sessions in Redis.
///
/// Clones share the connections.
///
/// ```no_run
/// # async fn run() -> Result<(), jwt_redis_session::store::StoreError> {
/// use jwt_redis_session::RedisStore;
///
/// let store = RedisStore::connect("redis://:password@127.0.0.1:6379/0").await?;
/// # Ok(()) }
/// ```
///
/// # Connections
///
/// All calls share one connection, on which they do not wait for each other. Values of 64 KiB and
/// more travel over a second connection, two at a time, so that they do not delay the other calls.
/// It is made when it is first needed. [`Session::ended`](crate::Session::ended) uses a third one,
/// for the invalidation messages of Redis (`CLIENT TRACKING`, RESP3). In a cluster, each master has
/// its own connections.
///
/// A connection that breaks or stops answering is replaced. Meanwhile calls wait for at most 250
/// milliseconds and then fail. A call that only reads is sent again over the new connection. A
/// write is sent again only if nothing of it was written to the old one: a write that may have
/// arrived is never sent twice, and returns an error.
///
/// # Cluster
///
/// With a `redis-cluster://` URL there are such connections to each node that is used. A command
/// that a node redirects was not executed, and goes to the other node within the deadline. While a
/// slot has no node, calls on its keys fail and all others go on, if the cluster is configured with
/// `cluster-require-full-coverage no`. Steps of one call on different keys go out one after the
/// other; reads and deletions of many records go to all nodes concurrently.
///
/// # Sentinel
///
/// With a `redis-sentinel://` URL the store queries all sentinels concurrently for the master before
/// every connection. It also listens to them, and leaves a master as soon as they announce another.
///
/// Of three sentinels or more, a majority must name the same server. A sentinel that was cut off
/// from the others still names a former master, which then takes writes that will be lost, and
/// serves sessions that were ended on the next one. So a store that reaches no majority makes no new
/// connection, and leaves its master after 10 seconds. Of one or two sentinels, any can name the
/// master.
///
/// Redis replicates after it has answered: a master that fails may take the last writes with it.
///
/// # Pipelines
///
/// The commands of one call are one pipeline, not a transaction: if Redis rejects one of them,
/// it still applies the later ones.
///
/// A `rediss://` URL installs ring as the process's rustls provider unless the application has
/// installed one before; see [`RedisConfig`].
///
/// # Log
///
/// When calls begin to fail, one line at WARN reports it, and when they succeed again, one line
/// at INFO with the number of calls that failed. A failure that lasts is repeated every minute.
/// The first connection warns if the server evicts keys when its memory is full.
#[derive(Clone)]
pub struct RedisStore {
    pub(super) client: Arc<Client>,
}

impl RedisStore {
    /// The rules that a Redis ACL needs for this store, in addition to the keys of the keyspace:
    /// `ACL SETUSER app on >password ~sess:* resetchannels -@all` and these.
    ///
    /// A store made of a pool also needs `+unwatch`, which the pool sends. `INFO` is sent
    /// once, over the first connection, and by [`check`](Self::check), and may be rejected.
    pub const ACL_RULES: &'static str = "+ping +get +getrange +pttl +set +pexpire +del +eval \
         +zadd +zscore +zrank +zrem +zrange +zrangebyscore";

    /// The rule that [`Sessions::destroy_everything`](crate::Sessions::destroy_everything) needs in
    /// addition to [`ACL_RULES`](Self::ACL_RULES).
    ///
    /// `SCAN` shows the names of all keys of the database, also of other keyspaces. So grant it to
    /// an account for emergencies only.
    pub const SCAN_ACL_RULES: &'static str = "+scan";

    /// The rules that a user of a cluster needs in addition to [`ACL_RULES`](Self::ACL_RULES).
    ///
    /// `+asking` is needed only while slots move.
    #[cfg(feature = "cluster")]
    #[cfg_attr(docsrs, doc(cfg(feature = "cluster")))]
    pub const CLUSTER_ACL_RULES: &'static str = "+cluster|slots +asking";

    /// The rules that a user of the sentinels needs. Users of the servers need
    /// [`ACL_RULES`](Self::ACL_RULES) only.
    #[cfg(feature = "sentinel")]
    #[cfg_attr(docsrs, doc(cfg(feature = "sentinel")))]
    pub const SENTINEL_ACL_RULES: &'static str =
        "+sentinel|get-master-addr-by-name +subscribe &+switch-master";

    /// The rules that a user needs for a [`cache`](RedisConfig::cache) in addition to
    /// [`ACL_RULES`](Self::ACL_RULES).
    pub const CACHE_ACL_RULES: &'static str = "+client|tracking";

    /// The rules that a user needs in addition to [`ACL_RULES`](Self::ACL_RULES) so that
    /// [`Session::ended`](crate::Session::ended) notices the end of a session within milliseconds.
    /// Without them the session is read at an interval.
    pub const WATCH_ACL_RULES: &'static str = "+client|tracking +client|caching";

    /// Connects to the Redis at `url` and checks that it answers.
    ///
    /// [`RedisConfig`] has the forms of the URL and all settings.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is invalid or leads to another kind of server, or, within a second,
    /// if Redis is absent or rejects the connection.
    pub async fn connect(url: &str) -> Result<Self> {
        RedisConfig::new(url).connect().await
    }

    /// Prepares a store for the Redis at `url` that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is invalid.
    pub fn lazy(url: &str) -> Result<Self> {
        RedisConfig::new(url).lazy()
    }

    /// Creates a store that takes its connections out of `pool`, the first one when first used.
    ///
    /// Connections that are taken do not go back, so the pool may open others in their place. The
    /// timeouts of the pool apply, within the default ones of [`RedisConfig`]. Bytes of
    /// an incomplete answer are not noticed on a connection of a pool, so a large answer that takes
    /// longer than the response timeout fails the call.
    ///
    /// TLS is that of the pool: no rustls provider is installed here. An application whose pool
    /// has a `rediss://` URL installs one itself, before the first connection.
    #[cfg(feature = "pool")]
    #[cfg_attr(docsrs, doc(cfg(feature = "pool")))]
    #[must_use]
    pub fn from_pool(pool: deadpool_redis::Pool) -> Self {
        Self {
            client: Arc::new(Client::of_pool(pool)),
        }
    }

    /// Returns a handle on the shared connection, for the application's own commands.
    ///
    /// Not for commands that change the connection (`SELECT`, `WATCH`, `MULTI`, `SUBSCRIBE`) or
    /// that block: every session is read over it. With a [`cache`](RedisConfig::cache) it speaks
    /// RESP3, and `CLIENT TRACKING`, `RESET` and `HELLO` would break the promise of the cache. The
    /// handle does not renew itself: call this method again after an error.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is no connection and none can be made. On a cluster always, with the
    /// kind `Configuration`: no single connection leads to all keys.
    pub async fn connection(&self) -> Result<MultiplexedConnection> {
        self.client.connection().await
    }

    /// Checks, within the deadline, that Redis answers and can serve the sessions, as
    /// [`connect`](Self::connect) does, and returns what it reports of itself.
    ///
    /// For health checks, and for a store made by [`lazy`](Self::lazy). Other than
    /// [`ping`](crate::store::Store::ping) it fails for a replica, and logs no failure.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. The kinds `Configuration` and `Auth` mean that Redis answers, but the
    /// configuration does not fit it; all others may pass.
    pub async fn check(&self) -> Result<ServerInfo> {
        self.client.check(self.client.deadline()).await
    }

    /// Returns where Redis is, for messages: without user, password and database.
    #[must_use]
    pub fn address(&self) -> &str {
        self.client.address()
    }

    /// Returns the counters of the cache in this process, or `None` without
    /// [`RedisConfig::cache`].
    #[must_use]
    pub fn cache_stats(&self) -> Option<CacheStats> {
        self.client.cache_stats()
    }
}

impl RedisConfig {
    /// Connects and checks that Redis answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the configuration is invalid or leads to another kind of server, or, within
    /// the deadline, if Redis is absent or rejects the connection.
    pub async fn connect(self) -> Result<RedisStore> {
        let store = self.lazy()?;
        store.check().await?;
        Ok(store)
    }

    /// Prepares a store that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL or a certificate is invalid.
    pub fn lazy(self) -> Result<RedisStore> {
        Ok(RedisStore {
            client: Arc::new(Client::new(&self)?),
        })
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("server", &self.client.address())
            .finish_non_exhaustive()
    }
}
