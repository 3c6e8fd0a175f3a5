//! The store of sessions in Redis.

use std::fmt;
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};
use tokio::time::{Instant, timeout_at};

use super::acl;
use super::client::Client;
use super::config::{Limits, RedisConfig};
use super::connect::Connector;

use super::error;
use crate::store::error::{StoreError, StoreErrorKind};

/// Keeps sessions in Redis.
///
/// All calls share one connection, on which they do not wait for each other. A broken connection
/// is replaced by itself; meanwhile calls fail fast, and calls that only read are repeated once.
/// A write is never sent twice: one that was under way when the connection broke is an error.
/// A clone is the same store.
///
/// ```no_run
/// # async fn run() -> Result<(), jwt_redis_session::store::StoreError> {
/// use jwt_redis_session::RedisStore;
///
/// let store = RedisStore::connect("redis://:password@127.0.0.1:6379/0").await?;
/// # Ok(()) }
/// ```
///
/// The commands of one call go out in one pipeline, not in a transaction: when Redis refuses one
/// of them, those behind it may have been applied all the same.
///
/// A `rediss://` URL installs ring as the process's rustls provider unless the application has
/// installed one before; see [`RedisConfig`].
#[derive(Clone)]
pub struct RedisStore {
    pub(super) client: Arc<Client>,
}

impl RedisStore {
    /// The rules that a Redis ACL needs for this store, beside the keys of the keyspace:
    /// `ACL SETUSER app on >password ~sess:* resetchannels -@all` and these.
    ///
    /// A store made of a pool also wants `+unwatch`, which the pool sends. `INFO` and `CONFIG`
    /// are asked once, by [`connect`](Self::connect), and may be refused.
    pub const ACL_RULES: &'static str = acl::ACL_RULES;

    /// Connects to the Redis at `url` and sees that it answers; see [`RedisConfig`] for the
    /// forms of the URL and everything that can be set.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL cannot be understood, or, within a second, if Redis is absent
    /// or refuses.
    pub async fn connect(url: &str) -> Result<Self, StoreError> {
        RedisConfig::new(url).connect().await
    }

    /// Prepares a store for the Redis at `url` that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL cannot be understood.
    pub fn lazy(url: &str) -> Result<Self, StoreError> {
        RedisConfig::new(url).lazy()
    }

    /// Takes a connection out of `pool` when first used, and another when that one breaks.
    ///
    /// Connections taken do not go back, so the pool may open others in their place. The pool's
    /// own timeouts stay as they are, inside those of [`RedisConfig`] at their defaults.
    ///
    /// So does its TLS: no rustls provider is installed here. An application whose pool leads to
    /// a `rediss://` URL installs one itself, before the first connection.
    #[cfg(feature = "pool")]
    #[cfg_attr(docsrs, doc(cfg(feature = "pool")))]
    #[must_use]
    pub fn from_pool(pool: deadpool_redis::Pool) -> Self {
        Self::new(Connector::of_pool(pool), Limits::default())
    }

    /// Returns a handle on the shared connection for commands of your own.
    ///
    /// Not for commands that change the connection (`SELECT`, `WATCH`, `MULTI`, `SUBSCRIBE`) or
    /// that block: every session is read through it. It does not renew itself; ask again after
    /// an error.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is no connection and none can be made.
    pub async fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        self.client.connection().await
    }

    fn new(connector: Connector, limits: Limits) -> Self {
        Self {
            client: Arc::new(Client::new(connector, limits)),
        }
    }

    /// Sees at the start that the server is ready to serve, not merely there.
    async fn check(&self) -> Result<(), StoreError> {
        let mut connection = self.connection().await?;
        match connection.send_packed_command(&cmd("PING")).await {
            Ok(Value::ServerError(error)) => {
                let refusal = error::refused(&error);
                if refusal.kind() != StoreErrorKind::Permission {
                    return Err(refusal);
                }
            }
            Ok(_) => {}
            Err(error) => return Err(error::broken(&error, self.client.address())),
        }
        self.client.check_eviction(&mut connection).await;
        Ok(())
    }
}

impl RedisConfig {
    /// Connects and sees that Redis answers.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL cannot be understood, or, within the deadline, if Redis is
    /// absent or refuses.
    pub async fn connect(self) -> Result<RedisStore, StoreError> {
        let deadline = Instant::now() + self.limits.deadline;
        let store = self.lazy()?;
        match timeout_at(deadline, store.check()).await {
            Ok(checked) => checked?,
            Err(_) => return Err(store.client.late()),
        }
        Ok(store)
    }

    /// Prepares a store that connects when it is first used.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if the URL or a certificate cannot be understood.
    pub fn lazy(self) -> Result<RedisStore, StoreError> {
        Ok(RedisStore::new(Connector::new(&self)?, self.limits))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
