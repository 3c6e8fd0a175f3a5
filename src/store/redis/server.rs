//! Requests to one server: over the shared connection, or over the one for large requests.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
#[cfg(feature = "cluster")]
use tokio::sync::Notify;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::answers::Answers;
use super::cache::{LocalCache, Lookup, Tracking};
use super::connect::Connector;
use super::lane::{Failure, Lane};
use super::request::Request;
use super::server_info::ServerInfo;
use super::watch::Watcher;
use crate::store::error::Result;
#[cfg(feature = "cluster")]
use crate::store::error::StoreError;
use crate::store::watches::RecordWatch;

/// The number of concurrent large requests. More would not be faster, because they share one
/// connection. The late answers to those that time out would also delay the others.
const MAX_LARGE: usize = 2;

/// One server. Large requests use a second connection, so that small ones do not wait behind them.
pub(super) struct Server {
    pub(super) connector: Arc<Connector>,
    small: Lane,
    large: Lane,
    large_permits: Semaphore,
    /// Cache of what is read over the connection of small requests.
    pub(super) cache: Option<Arc<LocalCache>>,
    watcher: Watcher,
}

impl Server {
    pub(super) fn new(connector: Connector, cache: Option<Arc<LocalCache>>) -> Self {
        let connector = Arc::new(connector);
        Self {
            small: Lane::new(Arc::clone(&connector), cache.clone()),
            large: Lane::new(Arc::clone(&connector), None),
            large_permits: Semaphore::new(MAX_LARGE),
            watcher: Watcher::new(Arc::clone(&connector), Arc::default()),
            connector,
            cache,
        }
    }

    /// Notifies `interrupted` when the server does not answer for a watched record.
    #[cfg(feature = "cluster")]
    pub(super) fn with_interruptions(mut self, interrupted: &Arc<Notify>) -> Self {
        self.watcher = Watcher::new(Arc::clone(&self.connector), Arc::clone(interrupted));
        self
    }

    /// Looks for the record under `key` in the cache.
    pub(super) fn find_cached(&self, key: &str) -> Lookup {
        let Some(cache) = &self.cache else {
            return Lookup::Miss(None);
        };
        let found = self.small.with_current(|connection| {
            let tracking = connection.and_then(|connection| connection.tracking());
            tracking.map(|tracking: &Tracking| tracking.find(key))
        });
        found.unwrap_or_else(|| {
            cache.count_bypass();
            Lookup::Miss(None)
        })
    }

    /// Returns a handle on the connection of small requests.
    pub(super) async fn connection(&self, deadline: Instant) -> Result<MultiplexedConnection> {
        let mut handle = self.small.handle(deadline).await?;
        // The lane limits the time of requests by the store. The application uses this handle
        // without the lane.
        handle.set_response_timeout(self.connector.limits.response);
        Ok(handle)
    }

    /// Checks that the server answers.
    pub(super) async fn ping(&self, deadline: Instant) -> Result<()> {
        let ping = Request::read().ping();
        let run = self.run(&ping, deadline, Answers::done).await;
        run.map_err(|failure| failure.error)
    }

    /// Checks that the server is not a replica, and returns what it reports of itself.
    pub(super) async fn check(&self, deadline: Instant) -> Result<ServerInfo> {
        let mut handle = self.small.handle(deadline).await?;
        self.connector.check(&mut handle).await
    }

    /// Returns what a master of a cluster reports of itself.
    #[cfg(feature = "cluster")]
    pub(super) async fn report(&self, deadline: Instant) -> Result<ServerInfo> {
        let mut handle = self.small.handle(deadline).await?;
        self.connector.report(&mut handle).await
    }

    /// Sends `request` and reads its answers with `read`, all before `deadline`.
    pub(super) async fn run<T>(
        &self,
        request: &Request,
        deadline: Instant,
        read: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T, Failure> {
        // Removed before the write is sent and after its answer: an own write must not depend on
        // the announcement of Redis, which may arrive later than the answer.
        let cache = self.cache.as_ref().filter(|_| !request.is_read());
        let _writing = cache.map(|cache| cache.write(request.keys()));
        let (lane, _permit) = self.lane_of(request, deadline).await?;
        lane.run(request, deadline, read).await
    }

    /// Watches the record under `key`, if connections can receive pushes.
    pub(super) fn watch(&self, key: &str) -> Option<RecordWatch> {
        self.watcher.watch(key)
    }

    /// Ends the watches on records whose key is not one of `keep`.
    #[cfg(feature = "cluster")]
    pub(super) fn retain_watches(&self, keep: impl Fn(&str) -> bool) {
        self.watcher.retain(keep);
    }

    /// Discards connections whose answers show that they are unusable.
    #[cfg(feature = "cluster")]
    pub(super) fn inspect(&self, error: &StoreError) {
        self.small.inspect_current(error);
        self.large.inspect_current(error);
    }

    /// Returns the lane for `request`. A large request first waits for a permit, until `deadline`.
    async fn lane_of(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<(&Lane, Option<SemaphorePermit<'_>>)> {
        if !request.is_large() {
            return Ok((&self.small, None));
        }
        // Boxed, so that small requests do not carry the future.
        match Box::pin(timeout_at(deadline, self.large_permits.acquire())).await {
            Ok(permit) => Ok((&self.large, permit.ok())),
            Err(_) => Err(self.connector.late()),
        }
    }
}
