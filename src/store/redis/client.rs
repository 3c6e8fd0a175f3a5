//! The client of one server: a lane for small requests and one for large ones.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::answers::Answers;
use super::config::Limits;
use super::connect::Connector;
use super::lane::Lane;
use super::log_throttle::LogThrottle;
use super::request::Request;
use crate::store::error::StoreError;

/// The number of large requests that are under way at a time. More would only wait for each other
/// on the wire, and the answers to those that time out would delay the others.
const LARGE_AT_A_TIME: usize = 2;

/// Client that sends requests to one server: large ones over a second connection, so that the
/// others do not wait behind them.
#[derive(Debug)]
pub(super) struct Client {
    lane: Lane,
    bulk: Lane,
    permits: Semaphore,
    connector: Arc<Connector>,
    limits: Limits,
    log: LogThrottle,
}

impl Client {
    /// Creates a client that connects when first used.
    pub(super) fn new(connector: Connector, limits: Limits) -> Self {
        let connector = Arc::new(connector);
        Self {
            lane: Lane::new(Arc::clone(&connector), limits),
            bulk: Lane::new(Arc::clone(&connector), limits),
            permits: Semaphore::new(LARGE_AT_A_TIME),
            connector,
            limits,
            log: LogThrottle::default(),
        }
    }

    /// Returns the address of the server, for error messages.
    pub(super) fn address(&self) -> &str {
        self.connector.address()
    }

    /// Checks once that the server does not evict sessions.
    pub(super) async fn check_eviction(&self, handle: &mut MultiplexedConnection) {
        self.connector.check_eviction(handle).await;
    }

    /// Returns the error of a call that took too long.
    pub(super) fn late(&self) -> StoreError {
        self.connector.late()
    }

    /// Returns the time at which a call that starts now must end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.limits.deadline
    }

    /// Returns a handle on the shared connection, with its own response timeout.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let mut handle = self.lane.handle(self.deadline()).await?;
        handle.set_response_timeout(self.limits.response);
        Ok(handle)
    }

    /// Sends `request` and reads its answers with `read`.
    pub(super) async fn run<T>(
        &self,
        request: &Request,
        read: impl FnOnce(&mut Answers) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.run_until(self.deadline(), request, read).await
    }

    /// Sends `request` and reads its answers with `read`, all before `deadline`.
    pub(super) async fn run_until<T>(
        &self,
        deadline: Instant,
        request: &Request,
        read: impl FnOnce(&mut Answers) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let result = if request.is_empty() {
            read(&mut Answers::several(Vec::new()))
        } else {
            match self.lane_of(request, deadline).await {
                Ok((lane, _permit)) => lane.run(request, deadline, read).await,
                Err(error) => Err(error),
            }
        };
        match &result {
            Ok(_) => self.log.succeeded(),
            Err(error) => self.log.failed(error),
        }
        result
    }

    /// Returns the lane for `request`, and the permit that it needs there.
    async fn lane_of(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<(&Lane, Option<SemaphorePermit<'_>>), StoreError> {
        if !request.is_large() {
            return Ok((&self.lane, None));
        }
        match timeout_at(deadline, self.permits.acquire()).await {
            Ok(permit) => Ok((&self.bulk, permit.ok())),
            Err(_) => Err(self.late()),
        }
    }
}
