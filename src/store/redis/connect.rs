//! New connections to the server of a store, or to the master of a service.

use std::sync::atomic::{AtomicBool, Ordering};

use redis::ConnectionInfo;
use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, timeout_at};

use super::config::{Limits, RedisConfig};
use super::connection::Connection;
#[cfg(feature = "pool")]
use super::endpoint::rejected;
use super::endpoint::{Access, Endpoint, Pushes};
use super::hello::{Hello, Mode};
#[cfg(feature = "sentinel")]
use super::sentinel::Sentinels;
use super::server_info::{self, ServerInfo};
use crate::store::error::{Result, StoreError, StoreErrorKind};

/// Makes connections to one server.
pub(super) struct Connector {
    source: Source,
    address: Box<str>,
    pub(super) limits: Limits,
    eviction_checked: AtomicBool,
}

enum Source {
    Server(Box<Endpoint>),
    #[cfg(feature = "cluster")]
    Node(Box<Endpoint>),
    #[cfg(feature = "sentinel")]
    Sentinels(Box<Sentinels>),
    #[cfg(feature = "pool")]
    Pool(deadpool_redis::Pool),
}

impl Connector {
    /// Prepares to connect to one server, which must not be a node of a cluster.
    pub(super) fn of_server(info: ConnectionInfo, config: &RedisConfig) -> Result<Self> {
        let access = Access::new(config, info.addr())?;
        let endpoint = Box::new(Endpoint::new(info, access));
        let address = endpoint.address().into();
        Ok(Self::new(Source::Server(endpoint), address, config.limits))
    }

    /// Prepares to connect to a node of a cluster.
    #[cfg(feature = "cluster")]
    pub(super) fn of_node(endpoint: Endpoint, limits: Limits) -> Self {
        let address = endpoint.address().into();
        Self::new(Source::Node(Box::new(endpoint)), address, limits)
    }

    /// Prepares to connect to the master that sentinels name.
    #[cfg(feature = "sentinel")]
    pub(super) fn of_sentinels(sentinels: Sentinels, limits: Limits) -> Self {
        let address = sentinels.address().into();
        Self::new(Source::Sentinels(Box::new(sentinels)), address, limits)
    }

    /// Prepares to take connections out of `pool`.
    #[cfg(feature = "pool")]
    pub(super) fn of_pool(pool: deadpool_redis::Pool) -> Self {
        let address = "the pool's server".into();
        Self::new(Source::Pool(pool), address, Limits::default())
    }

    fn new(source: Source, address: Box<str>, limits: Limits) -> Self {
        Self {
            source,
            address,
            limits,
            eviction_checked: AtomicBool::new(false),
        }
    }

    /// Returns the address of the server, for error messages.
    pub(super) fn address(&self) -> &str {
        &self.address
    }

    /// Returns a number that changes when another server becomes the master.
    pub(super) fn generation(&self) -> u64 {
        match &self.source {
            #[cfg(feature = "sentinel")]
            Source::Sentinels(sentinels) => sentinels.generation(),
            _ => 0,
        }
    }

    /// Makes a connection to a server that answers and is of the right kind.
    pub(super) async fn connect(&self, pushes: Pushes) -> Result<Connection> {
        let deadline = Instant::now() + self.limits.connect;
        timeout_at(deadline, self.open_tracked(pushes))
            .await
            .unwrap_or_else(|_| Err(self.late()))
    }

    /// Whether connections can receive pushes. Those of a pool are made by the pool.
    pub(super) const fn supports_pushes(&self) -> bool {
        #[cfg(feature = "pool")]
        if matches!(self.source, Source::Pool(_)) {
            return false;
        }
        true
    }

    async fn open_tracked(&self, pushes: Pushes) -> Result<Connection> {
        let connection = self.open(pushes).await?;
        if let Some(tracking) = connection.tracking() {
            tracking.start(connection.handle(), &self.address).await?;
        }
        Ok(connection)
    }

    async fn open(&self, pushes: Pushes) -> Result<Connection> {
        match &self.source {
            Source::Server(endpoint) => {
                let (connection, hello) = endpoint.open_for(pushes, None).await?;
                self.check_mode(&hello)?;
                Ok(connection)
            }
            #[cfg(feature = "cluster")]
            Source::Node(endpoint) => {
                let (connection, hello) = endpoint.open_for(pushes, None).await?;
                match hello.mode {
                    None | Some(Mode::Cluster) => Ok(connection),
                    Some(Mode::Standalone) => {
                        Err(self.misplaced("is not a node of a cluster; use redis://"))
                    }
                    Some(Mode::Sentinel) => {
                        Err(self.misplaced("is a sentinel; use redis-sentinel://"))
                    }
                }
            }
            #[cfg(feature = "sentinel")]
            Source::Sentinels(sentinels) => sentinels.connect(pushes).await,
            #[cfg(feature = "pool")]
            Source::Pool(pool) => {
                let connection = self.take(pool).await?;
                let hello = Hello::greet(&mut connection.handle(), &self.address).await?;
                self.check_mode(&hello)?;
                Ok(connection)
            }
        }
    }

    /// Rejects a server that would serve only some of the sessions, or none.
    fn check_mode(&self, hello: &Hello) -> Result<()> {
        match hello.mode {
            Some(Mode::Cluster) => {
                Err(self.misplaced("is a node of a cluster; use redis-cluster://"))
            }
            Some(Mode::Sentinel) => Err(self.misplaced("is a sentinel; use redis-sentinel://")),
            Some(Mode::Standalone) | None => Ok(()),
        }
    }

    /// Rejects a replica, which takes no writes, and returns what the server reports of itself.
    ///
    /// Not for every connection. The address may lead to a replica for a moment, while another
    /// server becomes the master.
    pub(super) async fn check(&self, handle: &mut MultiplexedConnection) -> Result<ServerInfo> {
        let hello = Hello::greet(handle, &self.address).await?;
        if hello.is_replica {
            return Err(self.misplaced("is a replica; use its master"));
        }
        Ok(self.info(hello, handle).await)
    }

    /// Returns what a master of a cluster reports of itself.
    #[cfg(feature = "cluster")]
    pub(super) async fn report(&self, handle: &mut MultiplexedConnection) -> Result<ServerInfo> {
        let hello = Hello::greet(handle, &self.address).await?;
        Ok(self.info(hello, handle).await)
    }

    async fn info(&self, hello: Hello, handle: &mut MultiplexedConnection) -> ServerInfo {
        ServerInfo {
            version: hello.version,
            eviction_policy: self.eviction_policy(handle).await,
        }
    }

    fn misplaced(&self, what: &str) -> StoreError {
        let detail = format!("the server at {} {what}", self.address);
        StoreError::new(StoreErrorKind::Configuration).with_detail(detail)
    }

    /// Warns if the server evicts sessions, once for all connections.
    pub(super) async fn check_eviction(&self, handle: &mut MultiplexedConnection) {
        if !self.eviction_checked.load(Ordering::Relaxed) {
            self.eviction_policy(handle).await;
        }
    }

    /// Returns the eviction policy, if the account may read it. The first call that reads it warns
    /// if the server evicts sessions.
    async fn eviction_policy(&self, handle: &mut MultiplexedConnection) -> Option<Box<str>> {
        // A server that hangs now must not keep the task, and the connection with it.
        let until = Instant::now() + self.limits.connect;
        let read = timeout_at(until, server_info::eviction_policy(handle)).await;
        let policy = read.ok()?.ok()?;
        let is_first = !self.eviction_checked.swap(true, Ordering::Relaxed);
        if let Some(policy) = policy.as_deref()
            && is_first
            && policy != "noeviction"
        {
            tracing::warn!(
                policy,
                "redis evicts keys when its memory is full, and logs users out; \
                 set maxmemory-policy to noeviction"
            );
        }
        policy
    }

    #[cfg(feature = "pool")]
    async fn take(&self, pool: &deadpool_redis::Pool) -> Result<Connection> {
        use deadpool_redis::PoolError;

        match pool.get().await {
            Ok(connection) => {
                let handle = deadpool_redis::Connection::take(connection);
                Ok(Connection::of_pool(handle))
            }
            Err(PoolError::Backend(error)) => Err(rejected(&error, &self.address)),
            Err(PoolError::Timeout(_)) => Err(self.late()),
            Err(_) => Err(StoreError::new(StoreErrorKind::Connection)
                .with_detail("the pool has no connection")),
        }
    }

    /// Returns the error of something that took too long.
    pub(super) fn late(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout).with_detail(&*self.address)
    }

    /// Returns the error of a connection that ended.
    pub(super) fn unreachable(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Connection).with_detail(&*self.address)
    }
}
