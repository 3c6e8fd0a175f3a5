//! Connections to the master that sentinels name.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::ConnectionInfo;
use tokio::task::JoinSet;

use super::confirmations::Confirmations;
use super::query::{Address, master_address};
use super::watch::{self, Observer};
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::address::at;
use crate::store::redis::cache::Moment;
use crate::store::redis::config::RedisConfig;
use crate::store::redis::connection::Connection;
use crate::store::redis::endpoint::{Access, Endpoint, Pushes};
use crate::store::redis::hello::Mode;

/// The sentinels of one service.
pub(crate) struct Sentinels {
    pub(super) sentinels: Vec<Arc<Endpoint>>,
    pub(super) service: Arc<str>,
    master: ConnectionInfo,
    access: Access,
    address: Box<str>,
    /// Counts the masters that sentinels have announced.
    generation: Arc<AtomicU64>,
    confirmations: Arc<Confirmations>,
    /// The time between two queries to each sentinel.
    interval: Duration,
    /// The tasks that listen to the sentinels. Dropping it ends them.
    watch: Mutex<JoinSet<()>>,
}

/// Result of a task of [`Sentinels::connect`].
enum Found {
    Master(Address),
    Connection(Connection),
}

impl Sentinels {
    pub(crate) fn new(
        sentinels: Vec<ConnectionInfo>,
        service: String,
        master: ConnectionInfo,
        config: &RedisConfig,
    ) -> Result<Self> {
        let access = Access::new(config, master.addr())?;
        let addresses: Vec<_> = sentinels
            .iter()
            .map(|info| info.addr().to_string())
            .collect();
        let address = format!("master {service} of sentinels {}", addresses.join(", "));
        // The callback returns credentials of Redis only.
        let own_access = access.clone().without_provider();
        let endpoint = |info| Arc::new(Endpoint::new(info, own_access.clone()));
        Ok(Self {
            sentinels: sentinels.into_iter().map(endpoint).collect(),
            service: service.into(),
            master,
            access,
            address: address.into(),
            generation: Arc::default(),
            confirmations: Arc::default(),
            interval: config.cache.map_or(watch::INTERVAL, |cache| {
                cache.interval().min(watch::INTERVAL)
            }),
            watch: Mutex::default(),
        })
    }

    /// Returns the service and its sentinels, for messages.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    /// Returns a number that changes when sentinels announce another master.
    pub(crate) fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Connects to the master.
    ///
    /// All sentinels are queried concurrently, and every server that one of them names is tried:
    /// a sentinel that hangs, or was cut off and names a former master, delays nothing.
    pub(crate) async fn connect(&self, pushes: Pushes) -> Result<Connection> {
        self.watch();
        // Read before the question: an announcement after it makes the connection outdated.
        let generation = self.generation();
        let mut tasks = JoinSet::new();
        for sentinel in &self.sentinels {
            tasks.spawn(query(Arc::clone(sentinel), Arc::clone(&self.service)));
        }
        let mut tried = HashSet::new();
        let mut error: Option<StoreError> = None;
        while let Some(task) = tasks.join_next().await {
            match task {
                Ok(Ok(Found::Connection(connection))) => {
                    return Ok(connection.with_generation(generation));
                }
                Ok(Ok(Found::Master(address))) => {
                    if tried.insert(address.clone()) {
                        let confirmed = self.confirmations.of(&address);
                        let info = at(&self.master, address.0, address.1);
                        let server = Endpoint::new(info, self.access.clone());
                        tasks.spawn(open(server, pushes.clone(), confirmed));
                    }
                }
                // A sentinel without this service does not hide that the master is down.
                Ok(Err(failed))
                    if error.is_none() || failed.kind() != StoreErrorKind::Configuration =>
                {
                    error = Some(failed);
                }
                Ok(Err(_)) | Err(_) => {}
            }
        }
        let unreachable =
            || StoreError::new(StoreErrorKind::Connection).with_detail(&*self.address);
        Err(error.unwrap_or_else(unreachable))
    }

    /// Starts to listen to the sentinels, unless this has been done.
    fn watch(&self) {
        let mut tasks = self.watch.lock().unwrap_or_else(PoisonError::into_inner);
        // The tasks end with the runtime that they were started on.
        while tasks.try_join_next().is_some() {}
        if tasks.is_empty() {
            *tasks = watch::start(&self.sentinels, self.interval, || Observer {
                service: Arc::clone(&self.service),
                generation: Arc::clone(&self.generation),
                confirmations: Arc::clone(&self.confirmations),
            });
        }
    }
}

async fn query(sentinel: Arc<Endpoint>, service: Arc<str>) -> Result<Found> {
    let (connection, hello) = sentinel.open().await?;
    if !matches!(hello.mode, None | Some(Mode::Sentinel)) {
        let detail = format!(
            "the server at {} is not a sentinel; use redis:// or redis-cluster://",
            sentinel.address()
        );
        return Err(StoreError::new(StoreErrorKind::Configuration).with_detail(detail));
    }
    let master = master_address(&mut connection.handle(), sentinel.address(), &service).await;
    connection.discard();
    master.map(Found::Master)
}

async fn open(server: Endpoint, pushes: Pushes, confirmed: Arc<Moment>) -> Result<Found> {
    let (connection, hello) = server.open_for(pushes, Some(confirmed)).await?;
    if hello.is_replica {
        connection.discard();
        // A sentinel may name a former master until it learns of the next one.
        let detail = format!("the server at {} is no longer a master", server.address());
        return Err(StoreError::new(StoreErrorKind::ReadOnly).with_detail(detail));
    }
    Ok(Found::Connection(connection))
}
