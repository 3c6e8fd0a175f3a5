//! The connection that all calls share, and its renewal.
//!
//! # Why not `redis::aio::ConnectionManager`
//!
//! It is as fast (305,000 to 325,000 `GET`s a second with 64 tasks, where a pool checkout reaches
//! 52,000), but does not hold the deadlines that this store promises. Measured with redis 1.8.1:
//!
//! * On a connection whose peer is silent while new connections work, it never recovers: a
//!   response timeout does not count as a broken connection there. Here it takes one call.
//! * In an outage of 8 s it parked requests for up to 9.45 s, without a deadline, and served
//!   again 1.42 s after the server was back. Here calls fail after 0.25 s, and service is back
//!   after 0.07 s. Its jitter is the same in every process, so that all connect in step.
//! * It cannot use connections of a pool.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use arc_swap::ArcSwapOption;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout_at};

use super::cache::LocalCache;
use super::connect::Connector;
use super::connection::Connection;
use super::endpoint::Pushes;
use crate::store::error::{Result, StoreError};

/// How long a call waits for a broken connection to be replaced before it fails.
const RENEWAL: Duration = Duration::from_millis(250);
/// The age up to which a connection is not replaced because the server rejects its calls: the
/// next one would get the same answer.
const YOUNG: Duration = Duration::from_millis(100);
/// The number of connections in a row that never answered a call after which new ones are made
/// with a pause.
const FAILED_BEFORE_USE: u32 = 5;

/// Holds the connection in use and replaces it, one attempt at a time.
pub(super) struct SharedConnection {
    current: ArcSwapOption<Connection>,
    renewal: Mutex<Renewal>,
    connector: Arc<Connector>,
    cache: Option<Arc<LocalCache>>,
}

/// `None` while the attempt is in progress.
type Attempt = Option<Result<Arc<Connection>>>;

#[derive(Default)]
struct Renewal {
    attempt: Option<watch::Receiver<Attempt>>,
    connected_once: bool,
    failed_before_use: u32,
    /// Until when no new attempt is made after one that failed.
    rest_until: Option<Instant>,
    /// Why there is no connection: what broke the last one, or the last attempt.
    last_error: Option<StoreError>,
}

impl SharedConnection {
    pub(super) fn new(connector: Arc<Connector>, cache: Option<Arc<LocalCache>>) -> Arc<Self> {
        Arc::new(Self {
            current: ArcSwapOption::empty(),
            renewal: Mutex::default(),
            connector,
            cache,
        })
    }

    /// Returns the connection in use, or waits for one, but not past `deadline`.
    pub(super) async fn acquire(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Connection>> {
        match self.current.load_full() {
            Some(connection) if self.is_current(&connection) => return Ok(connection),
            Some(connection) => self.discard(&connection, &self.connector.unreachable()),
            None => {}
        }
        // Boxed, because it is rare, and the future of a call is moved until it runs.
        Box::pin(self.wait(deadline)).await
    }

    /// Waits for a connection, but not past `deadline`.
    async fn wait(self: &Arc<Self>, deadline: Instant) -> Result<Arc<Connection>> {
        // The first connection may take until the deadline. Later on the server is known to be
        // fast, and callers that wait for it while it is down would pile up.
        let connected_once = self.lock().connected_once;
        let until = match connected_once {
            true => deadline.min(Instant::now() + RENEWAL),
            false => deadline,
        };
        loop {
            let mut attempt = self.renew()?;
            match timeout_at(until, attempt.wait_for(Option::is_some)).await {
                Ok(Ok(done)) => {
                    let unreachable = || Err(self.connector.unreachable());
                    return done.clone().unwrap_or_else(unreachable);
                }
                // The attempt ended with the runtime of the call that started it: start another.
                Ok(Err(_)) => {}
                Err(_) => return Err(self.last_error(&self.lock())),
            }
            // A credentials provider that panics ends every attempt.
            sleep(Duration::from_millis(1)).await;
        }
    }

    /// Returns the connection in use, if there is one.
    #[cfg(feature = "cluster")]
    pub(super) fn current(&self) -> Option<Arc<Connection>> {
        self.current.load_full()
    }

    /// Calls `f` with the connection in use, if there is one that is open.
    pub(super) fn with_current<T>(&self, f: impl FnOnce(Option<&Connection>) -> T) -> T {
        let current = self.current.load();
        f(current
            .as_deref()
            .filter(|current| self.is_current(current)))
    }

    /// Whether `connection` is open, and to the server that is the master now.
    fn is_current(&self, connection: &Connection) -> bool {
        !connection.has_ended() && connection.generation() == self.connector.generation()
    }

    /// Joins the attempt in progress or starts one, unless the last one has just failed.
    fn renew(self: &Arc<Self>) -> Result<watch::Receiver<Attempt>> {
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
            let result = shared.complete(shared.connector.connect(shared.pushes()).await);
            report.send_replace(Some(result.clone()));
            if let Ok(connection) = result {
                let mut handle = connection.handle();
                shared.connector.check_eviction(&mut handle).await;
            }
        });
        Ok(attempt)
    }

    fn pushes(&self) -> Pushes {
        let cache = self.cache.clone();
        cache.map_or(Pushes::Ignored, Pushes::ToCache)
    }

    fn complete(&self, result: Result<Connection>) -> Result<Arc<Connection>> {
        let mut renewal = self.lock();
        renewal.attempt = None;
        match result {
            Ok(connection) => {
                let connection = Arc::new(connection);
                // Stored under the lock and before the attempt reports: a call that is woken by the
                // report, or that finds no attempt, finds the connection.
                self.current.store(Some(Arc::clone(&connection)));
                renewal.connected_once = true;
                renewal.rest_until = None;
                Ok(connection)
            }
            Err(error) => {
                renewal.rest_until = Some(Instant::now() + pause());
                renewal.last_error = Some(error.clone());
                Err(error)
            }
        }
    }

    /// Discards `connection`, which broke with `error`, and starts to make another.
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

    /// Discards `connection` because the server rejects its calls, unless it is young.
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
        error.unwrap_or_else(|| self.connector.unreachable())
    }

    fn lock(&self) -> MutexGuard<'_, Renewal> {
        self.renewal
            .lock()
            .unwrap_or_else(|poison| poison.into_inner())
    }
}

impl Renewal {
    /// Records why `connection` was discarded.
    fn record_failure(&mut self, connection: &Connection, error: &StoreError) {
        self.last_error = Some(error.clone());
        self.failed_before_use = if connection.has_served() {
            0
        } else {
            self.failed_before_use + 1
        };
        // The first connection after a break is made without a pause, so that service is back
        // soon. But a server that accepts and then breaks every connection must not be flooded.
        if self.failed_before_use >= FAILED_BEFORE_USE {
            self.rest_until = Some(Instant::now() + pause());
        }
    }
}

/// Returns the pause after a failed attempt to connect: 50 to 150 milliseconds, at random so that
/// the processes of a fleet do not connect in step.
fn pause() -> Duration {
    Duration::from_millis(50 + RandomState::new().hash_one(0) % 100)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;
    use std::time::Duration;

    use redis::aio::MultiplexedConnection;
    use redis::{IntoConnectionInfo, RedisConnectionInfo};

    use super::{FAILED_BEFORE_USE, SharedConnection};
    use crate::RedisConfig;
    use crate::store::error::{StoreError, StoreErrorKind};
    use crate::store::redis::connect::Connector;
    use crate::store::redis::connection::Connection;

    #[tokio::test]
    async fn a_connection_that_many_calls_discard_is_recorded_once() {
        let (stream, _server) = tokio::io::duplex(64);
        let info = RedisConnectionInfo::default().set_skip_set_lib_name();
        let (connection, _driver) = MultiplexedConnection::new(&info, stream).await.unwrap();
        let url = "redis://127.0.0.1:1";
        let info = url.into_connection_info().unwrap();
        let connector = Connector::of_server(info, &RedisConfig::new(url)).unwrap();
        let shared = SharedConnection::new(Arc::new(connector), None);
        let connection = Connection::of_pool(connection);
        let connection = shared.complete(Ok(connection)).unwrap();

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
        assert_eq!(
            shared.lock().failed_before_use,
            1,
            "it was discarded before"
        );
    }
}
