//! The Redis store.

use std::fmt;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};
use tokio::time::{Instant, timeout_at};

use super::client::Client;
use super::config::RedisConfig;
use super::connect::Connector;
use super::error;
use crate::store::error::{Result, StoreErrorKind};

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
/// It is made when it is first needed.
///
/// A connection that breaks, or falls silent, is replaced. Meanwhile calls wait for at most 250
/// milliseconds and then fail. A call that only reads is sent again over the new connection. A
/// write is sent again only if nothing of it was written to the old one: a write that may have
/// arrived is never sent twice, and returns an error.
///
/// The commands of one call are one pipeline, not a transaction: if Redis rejects one of them,
/// the later ones may have been applied all the same.
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
    /// The rules that a Redis ACL needs for this store, beside the keys of the keyspace:
    /// `ACL SETUSER app on >password ~sess:* resetchannels -@all` and these.
    ///
    /// A store made of a pool also needs `+unwatch`, which the pool sends. `INFO` is sent
    /// once, over the first connection, and may be rejected.
    pub const ACL_RULES: &'static str = "+ping +get +getrange +pttl +set +pexpire +del +eval \
         +zadd +zscore +zrem +zrange +zrangebyscore";

    /// Connects to the Redis at `url` and checks that it answers.
    ///
    /// [`RedisConfig`] has the forms of the URL and all settings.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is invalid, or, within a second, if Redis is absent or
    /// rejects the connection.
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
        Self::new(Connector::of_pool(pool))
    }

    /// Returns a handle on the shared connection, for the application's own commands.
    ///
    /// Not for commands that change the connection (`SELECT`, `WATCH`, `MULTI`, `SUBSCRIBE`) or
    /// that block: every session is read over it. The handle does not renew itself: call this
    /// method again after an error.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is no connection and none can be made.
    pub async fn connection(&self) -> Result<MultiplexedConnection> {
        self.client.connection().await
    }

    fn new(connector: Connector) -> Self {
        let client = Arc::new(Client::new(connector));
        Self { client }
    }

    /// Checks that the server is ready to serve, not only reachable.
    async fn check(&self) -> Result<()> {
        let mut handle = self.connection().await?;
        let connector = &self.client.connector;
        match handle.send_packed_command(&cmd("PING")).await {
            Ok(Value::ServerError(answer)) => {
                let rejection = error::rejected(&answer);
                // An account may lack PING alone, and can serve all the same.
                if rejection.kind() != StoreErrorKind::Permission {
                    return Err(rejection);
                }
            }
            Ok(_) => {}
            Err(error) => return Err(error::broken(&error, connector.address())),
        }
        connector.check_eviction(&mut handle).await;
        Ok(())
    }
}

impl RedisConfig {
    /// Connects and checks that Redis answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL is invalid, or, within the deadline, if Redis is absent or
    /// rejects the connection.
    pub async fn connect(self) -> Result<RedisStore> {
        let deadline = Instant::now() + self.limits.deadline;
        let store = self.lazy()?;
        match timeout_at(deadline, store.check()).await {
            Ok(checked) => checked.map(|()| store),
            Err(_) => Err(store.client.connector.late()),
        }
    }

    /// Prepares a store that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL or a certificate is invalid.
    pub fn lazy(self) -> Result<RedisStore> {
        Ok(RedisStore::new(Connector::new(&self)?))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
