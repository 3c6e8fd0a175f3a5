//! Choice of the connection for a request: shared by small requests, or reserved for large ones.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::answers::Answers;
use super::connect::Connector;
use super::lane::Lane;
use super::log_throttle::LogThrottle;
use super::request::Request;
use crate::store::error::Result;

/// The number of concurrent large requests. More would not be faster, because they share one
/// connection. The late answers to those that time out would also delay the others.
const MAX_LARGE: usize = 2;

/// Client that sends requests to one server. Large requests use a second connection, so that small
/// ones do not wait behind them.
pub(super) struct Client {
    pub(super) connector: Arc<Connector>,
    small: Lane,
    large: Lane,
    large_permits: Semaphore,
    log: LogThrottle,
}

impl Client {
    pub(super) fn new(connector: Connector) -> Self {
        let connector = Arc::new(connector);
        Self {
            small: Lane::new(Arc::clone(&connector)),
            large: Lane::new(Arc::clone(&connector)),
            large_permits: Semaphore::new(MAX_LARGE),
            log: LogThrottle::default(),
            connector,
        }
    }

    /// Returns the time at which a call that starts now must end.
    pub(super) fn deadline(&self) -> Instant {
        Instant::now() + self.connector.limits.deadline
    }

    /// Returns a handle on the connection of small requests.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection> {
        let mut handle = self.small.handle(self.deadline()).await?;
        // The lane limits the time of requests by the store. The application uses this handle
        // without the lane.
        handle.set_response_timeout(self.connector.limits.response);
        Ok(handle)
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
        let result = match self.lane_of(&request, deadline).await {
            Ok((lane, _permit)) => lane.run(&request, deadline, read).await,
            Err(error) => Err(error),
        };
        match &result {
            Ok(_) => self.log.succeeded(),
            Err(error) => self.log.failed(error),
        }
        result
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
        match timeout_at(deadline, self.large_permits.acquire()).await {
            Ok(permit) => Ok((&self.large, permit.ok())),
            Err(_) => Err(self.connector.late()),
        }
    }
}
