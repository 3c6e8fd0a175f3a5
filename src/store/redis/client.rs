//! Requests to one server or a cluster.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use tokio::time::{Instant, timeout_at};

use super::address::{self, Location};
use super::answers::Answers;
use super::cache::{CacheStats, LocalCache, Lookup};
#[cfg(feature = "cluster")]
use super::cluster::Cluster;
use super::config::{Limits, RedisConfig};
use super::connect::Connector;
use super::log_throttle::LogThrottle;
use super::request::{FIRST_CURSOR, Request};
#[cfg(feature = "sentinel")]
use super::sentinel::Sentinels;
use super::server::Server;
use super::server_info::ServerInfo;
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::types::ScanPage;
use crate::store::watches::RecordWatch;

/// Client for one server, the master of a service, or a cluster.
pub(super) struct Client {
    servers: Servers,
    limits: Limits,
    log: LogThrottle,
}

#[allow(clippy::large_enum_variant, reason = "each store has one")]
enum Servers {
    One(Server),
    #[cfg(feature = "cluster")]
    Cluster(Arc<Cluster>),
}

impl Client {
    pub(super) fn new(config: &RedisConfig) -> Result<Self> {
        let cache = config.cache.map(LocalCache::new);
        let servers = match address::parse(config)? {
            Location::Server(info) => Servers::one(Connector::of_server(info, config)?, cache),
            #[cfg(feature = "sentinel")]
            Location::Sentinel {
                sentinels,
                service_name,
                master,
            } => {
                let sentinels = Sentinels::new(sentinels, service_name, master, config)?;
                Servers::one(Connector::of_sentinels(sentinels, config.limits), cache)
            }
            #[cfg(feature = "cluster")]
            Location::Cluster(nodes) => Servers::Cluster(Arc::new(Cluster::new(&nodes, config)?)),
        };
        Ok(Self::of(servers, config.limits))
    }

    #[cfg(feature = "pool")]
    pub(super) fn of_pool(pool: deadpool_redis::Pool) -> Self {
        let servers = Servers::one(Connector::of_pool(pool), None);
        Self::of(servers, Limits::default())
    }

    fn of(servers: Servers, limits: Limits) -> Self {
        Self {
            servers,
            limits,
            log: LogThrottle::default(),
        }
    }

    /// Returns the address, for error messages.
    pub(super) fn address(&self) -> &str {
        match &self.servers {
            Servers::One(server) => server.connector.address(),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.address(),
        }
    }

    /// Returns the time at which a call that starts now must end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.limits.deadline
    }

    /// Returns a handle on the connection of small requests.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection> {
        match &self.servers {
            Servers::One(server) => server.connection(self.deadline()).await,
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => Err(StoreError::new(StoreErrorKind::Configuration)
                .with_detail("a cluster has no single connection")),
        }
    }

    /// Checks, before `deadline`, that the servers are those of the configuration, and ready.
    ///
    /// Logs nothing about a failure: the caller reports it.
    pub(super) async fn check(&self, deadline: Instant) -> Result<ServerInfo> {
        let late = || StoreError::new(StoreErrorKind::Timeout).with_detail(self.address());
        let checked = timeout_at(deadline, self.check_servers(deadline)).await;
        checked.unwrap_or_else(|_| Err(late())).map_err(|error| {
            match error.kind() {
                // The first answer ever is no answer of Redis.
                StoreErrorKind::Protocol => {
                    let detail = format!("what answers at {} is not redis", self.address());
                    StoreError::new(StoreErrorKind::Configuration).with_detail(detail)
                }
                _ => error,
            }
        })
    }

    async fn check_servers(&self, deadline: Instant) -> Result<ServerInfo> {
        match self.ping_until(deadline).await {
            // An account without this permission can still serve.
            Err(error) if error.kind() == StoreErrorKind::Permission => {}
            checked => checked?,
        }
        match &self.servers {
            Servers::One(server) => server.check(deadline).await,
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.report(deadline).await,
        }
    }

    /// Checks that every server answers.
    pub(super) async fn ping(&self) -> Result<()> {
        self.logged(self.ping_until(self.deadline()).await)
    }

    async fn ping_until(&self, deadline: Instant) -> Result<()> {
        match &self.servers {
            Servers::One(server) => server.ping(deadline).await,
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.ping(deadline).await,
        }
    }

    /// Returns whether reads look into a local cache.
    pub(super) const fn has_cache(&self) -> bool {
        match &self.servers {
            Servers::One(server) => server.cache.is_some(),
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => false,
        }
    }

    /// Looks for the record under `key` in the local cache.
    pub(super) fn find_cached(&self, key: &str) -> Lookup {
        match &self.servers {
            Servers::One(server) => server.find_cached(key),
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => Lookup::Miss(None),
        }
    }

    /// Returns the counters of the local cache, if there is one.
    pub(super) fn cache_stats(&self) -> Option<CacheStats> {
        match &self.servers {
            Servers::One(server) => server.cache.as_ref().map(|cache| cache.stats()),
            #[cfg(feature = "cluster")]
            Servers::Cluster(_) => None,
        }
    }

    /// Sends `request` and reads its answers with `read`, all within the deadline of a call.
    pub(super) async fn run<T>(
        &self,
        request: Request,
        read: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        self.run_until(self.deadline(), request, read).await
    }

    /// Sends `request` and reads its answers with `read`, all before `deadline`.
    pub(super) async fn run_until<T>(
        &self,
        deadline: Instant,
        request: Request,
        read: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T> {
        if request.is_empty() {
            return read(&mut Answers::One(None));
        }
        let result = match &self.servers {
            Servers::One(server) => {
                let run = server.run(&request, deadline, read).await;
                run.map_err(|failure| failure.error)
            }
            // Boxed: a call to one server should not carry the larger future.
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => Box::pin(cluster.run(request, deadline, read)).await,
        };
        self.logged(result)
    }

    /// Returns keys that begin with `prefix`.
    pub(super) async fn scan(
        &self,
        prefix: &str,
        after: Option<&str>,
        count: usize,
    ) -> Result<ScanPage> {
        match &self.servers {
            Servers::One(_) => {
                let scan = Request::read().scan(after.unwrap_or(FIRST_CURSOR), prefix, count);
                let (keys, next) = self.run(scan, Answers::scanned).await?;
                let next = Some(next).filter(|next| next != FIRST_CURSOR);
                Ok(ScanPage::new(keys, next))
            }
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => {
                let scanning = cluster.scan(prefix, after, count, self.deadline());
                self.logged(Box::pin(scanning).await)
            }
        }
    }

    /// Watches the record under `key`, if that is possible now.
    pub(super) fn watch(&self, key: &str) -> Option<RecordWatch> {
        match &self.servers {
            Servers::One(server) => server.watch(key),
            #[cfg(feature = "cluster")]
            Servers::Cluster(cluster) => cluster.watch(key),
        }
    }

    fn logged<T>(&self, result: Result<T>) -> Result<T> {
        match &result {
            Ok(_) => self.log.succeeded(),
            Err(error) => self.log.failed(error),
        }
        result
    }
}

impl Servers {
    fn one(connector: Connector, cache: Option<Arc<LocalCache>>) -> Self {
        Self::One(Server::new(connector, cache))
    }
}
