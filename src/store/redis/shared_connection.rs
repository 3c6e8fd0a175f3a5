//! The connection that all calls share, and its renewal.
//!
//! # Why not `redis::aio::ConnectionManager`
//!
//! It is as fast (305,000 to 325,000 `GET`s a second with 64 tasks, where a pool checkout reaches
//! 52,000), but does not hold the deadlines that this store promises. Measured with redis 1.8.1:
//!
//! * On a connection whose peer is silent while new connections work, it never recovers: a
//!   response time-out does not count as a broken connection there. Here it takes one call.
//! * In an outage of 8 s it parked requests for up to 9.45 s, without a deadline, and served
//!   again 1.42 s after the server was back. Here calls fail after 0.25 s, and service is back
//!   after 0.07 s.
//! * It cannot use connections of a pool.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

use super::backoff;
use super::connect::Connector;
use super::connection::Connection;
use crate::store::error::{StoreError, StoreErrorKind};

/// The age up to which a connection is not replaced because of a refusal: the next one would get
/// the same.
const YOUNG: Duration = Duration::from_millis(100);
/// The number of connections in a row that never answered a call after which new ones are made
/// with a pause.
const FAILED_BEFORE_USE: u32 = 5;

/// Holds the connection in use and replaces it, one attempt at a time.
pub(super) struct SharedConnection {
    current: ArcSwapOption<Connection>,
    connected_once: AtomicBool,
    renewal: Mutex<Renewal>,
    connector: Arc<Connector>,
    /// How long a call waits for a renewal.
    budget: Duration,
}

/// `None` while the attempt is under way.
type Attempt = Option<Result<Arc<Connection>, StoreError>>;

#[derive(Default)]
struct Renewal {
    attempt: Option<watch::Receiver<Attempt>>,
    failures: u32,
    failed_before_use: u32,
    /// Until when no new attempt is made after one that failed.
    rest_until: Option<Instant>,
    /// Why there is no connection: what broke the last one, or the last attempt.
    last_error: Option<StoreError>,
}

impl SharedConnection {
    /// Creates a shared connection that is made when first needed.
    pub(super) fn new(connector: Arc<Connector>, budget: Duration) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwapOption::empty(),
            connected_once: AtomicBool::new(false),
            renewal: Mutex::default(),
            connector,
            budget,
        })
    }

    /// Returns the connection in use, or waits for one, but not past `deadline`.
    pub(super) async fn acquire(
        self: &Arc<Self>,
        deadline: Instant,
    ) -> Result<Arc<Connection>, StoreError> {
        match self.current.load_full() {
            Some(connection) if !connection.has_ended() => Ok(connection),
            Some(connection) => {
                self.discard(&connection, &self.unreachable());
                self.wait(deadline).await
            }
            None => self.wait(deadline).await,
        }
    }

    async fn wait(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Connection>, StoreError> {
        let until = if self.connected_once.load(Ordering::Relaxed) {
            deadline.min(Instant::now() + self.budget)
        } else {
            deadline
        };
        loop {
            let mut attempt = self.renew()?;
            match timeout_at(until, attempt.wait_for(Option::is_some)).await {
                Ok(Ok(done)) => {
                    return done.clone().unwrap_or_else(|| Err(self.unreachable()));
                }
                // The attempt ended with the runtime of the call that started it: start another.
                Ok(Err(_)) => {}
                Err(_) => return Err(self.last_error(&self.lock())),
            }
        }
    }

    /// Joins the attempt that is under way or starts one, unless the last one has just failed.
    fn renew(self: &Arc<Self>) -> Result<watch::Receiver<Attempt>, StoreError> {
        let mut renewal = self.lock();
        // Checked again under the lock: the attempt may have succeeded since the caller found no
        // connection, and a second one would only be thrown away.
        if let Some(connection) = self.current.load_full() {
            return Ok(watch::channel(Some(Ok(connection))).1);
        }
        // `has_changed` fails if the task of the attempt is gone.
        if let Some(attempt) = &renewal.attempt
            && attempt.has_changed().is_ok()
        {
            return Ok(attempt.clone());
        }
        if renewal
            .rest_until
            .is_some_and(|until| Instant::now() < until)
        {
            return Err(self.last_error(&renewal));
        }
        let (report, attempt) = watch::channel(None);
        renewal.attempt = Some(attempt.clone());
        let shared = Arc::clone(self);
        // Spawned, so that a caller that is dropped does not stop the attempt that others wait for.
        tokio::spawn(async move {
            let settled = shared.settle(shared.connector.connect().await);
            report.send_replace(Some(settled.clone()));
            if let Ok(connection) = settled {
                let mut handle = connection.handle();
                shared.connector.check_eviction(&mut handle).await;
            }
        });
        Ok(attempt)
    }

    fn settle(&self, made: Result<Connection, StoreError>) -> Result<Arc<Connection>, StoreError> {
        let mut renewal = self.lock();
        renewal.attempt = None;
        match made {
            Ok(connection) => {
                let connection = Arc::new(connection);
                // Stored under the lock and before the attempt reports: a call that is woken by the
                // report, or that finds no attempt, finds the connection.
                self.current.store(Some(Arc::clone(&connection)));
                self.connected_once.store(true, Ordering::Relaxed);
                renewal.rest_until = None;
                renewal.failures = 0;
                Ok(connection)
            }
            Err(error) => {
                renewal.rest_until = Some(Instant::now() + backoff::pause(renewal.failures));
                renewal.failures = renewal.failures.saturating_add(1);
                renewal.last_error = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Gives up `connection`, which broke with `error`, and starts to make another.
    pub(super) fn discard(self: &Arc<Self>, connection: &Arc<Connection>, error: &StoreError) {
        // Under the lock, so that a call that finds no connection also finds the reason.
        let mut renewal = self.lock();
        let held = self.current.compare_and_swap(Arc::as_ptr(connection), None);
        // Many calls break with a connection; only the first to notice records the failure.
        if held
            .as_ref()
            .is_some_and(|held| Arc::ptr_eq(held, connection))
        {
            renewal.record_failure(connection, error);
            drop(renewal);
            connection.discard();
            // Only starts the attempt: the next call waits for its result.
            let _ = self.renew();
        }
    }

    /// Gives up `connection` because the server refuses its calls: it became a replica, or the
    /// credentials changed. The address may lead to another server by now.
    pub(super) fn discard_if_rejected(
        self: &Arc<Self>,
        connection: &Arc<Connection>,
        error: &StoreError,
    ) {
        if connection.age() >= YOUNG {
            self.discard(connection, error);
        }
    }

    fn last_error(&self, renewal: &Renewal) -> StoreError {
        let error = renewal.last_error.clone();
        error.unwrap_or_else(|| self.unreachable())
    }

    fn unreachable(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Connection).with_detail(self.connector.address())
    }

    fn lock(&self) -> MutexGuard<'_, Renewal> {
        self.renewal
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Renewal {
    /// Records why `connection` was given up. Connections that break before they serve must not
    /// be made again and again without a pause.
    fn record_failure(&mut self, connection: &Connection, error: &StoreError) {
        self.last_error = Some(error.clone());
        self.failed_before_use = if connection.has_served() {
            0
        } else {
            self.failed_before_use + 1
        };
        if self.failed_before_use >= FAILED_BEFORE_USE {
            self.rest_until = Some(Instant::now() + backoff::pause(self.failed_before_use));
        }
    }
}

impl fmt::Debug for SharedConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedConnection")
            .field("address", &self.connector)
            .field("connected", &self.current.load().is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use redis::RedisConnectionInfo;
    use redis::aio::MultiplexedConnection;

    use super::{FAILED_BEFORE_USE, SharedConnection};
    use crate::RedisConfig;
    use crate::store::error::{StoreError, StoreErrorKind};
    use crate::store::redis::connect::Connector;
    use crate::store::redis::connection::Connection;

    #[tokio::test]
    async fn a_connection_that_many_calls_give_up_is_recorded_once() {
        let (stream, _server) = tokio::io::duplex(64);
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let (connection, _driver) = MultiplexedConnection::new(&info, stream).await.unwrap();

        let connector = Connector::new(&RedisConfig::new("redis://127.0.0.1:1")).unwrap();
        let budget = Duration::from_millis(250);
        let shared = SharedConnection::new(Arc::new(connector), budget);
        let connection = shared.settle(Ok(Connection::of_pool(connection))).unwrap();

        // Held until every call has found the connection in its place.
        let renewal = shared.lock();
        let calls: Vec<_> = (0..2 * FAILED_BEFORE_USE)
            .map(|_| {
                let (shared, connection) = (Arc::clone(&shared), Arc::clone(&connection));
                let error = StoreError::new(StoreErrorKind::Connection);
                tokio::task::spawn_blocking(move || shared.discard(&connection, &error))
            })
            .collect();
        thread::sleep(Duration::from_millis(200));
        drop(renewal);
        for call in calls {
            call.await.unwrap();
        }
        assert!(shared.current.load().is_none());
        assert_eq!(shared.lock().failed_before_use, 1);

        shared.discard(&connection, &StoreErrorKind::Connection.into());
        assert_eq!(shared.lock().failed_before_use, 1, "it was given up before");
    }
}
