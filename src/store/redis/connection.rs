//! One connection and its health.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::cmd;
use tokio::task::AbortHandle;
use tokio::time::{Instant, timeout_at};

use super::cache::Tracking;
use super::traffic::Traffic;

/// The time without any bytes from the server after which the connection may be dead: a network
/// that drops it sends no notice.
const IDLE: Duration = Duration::from_secs(1);
/// The time without any bytes after which a write first checks whether the connection was closed.
const QUIET: Duration = Duration::from_millis(1);
/// The time in which arriving bytes must complete an answer. Otherwise they are garbage.
const ENDLESS: Duration = Duration::from_secs(10);

/// Connection that calls share.
pub(super) struct Connection {
    handle: MultiplexedConnection,
    traffic: Arc<Traffic>,
    /// The task that drives the connection; `None` for one of a pool, whose stream is not ours.
    driver: Option<AbortHandle>,
    /// Whether nothing arrived while the last call waited.
    is_silent: AtomicBool,
    /// Whole seconds, plus one, from its creation to the last answer; 0 before the first one.
    answered_at: AtomicU64,
    discarded: AtomicBool,
    /// The number of the master that the connection leads to.
    generation: u64,
    /// The announcements of changes, if they were requested.
    tracking: Option<Tracking>,
}

impl Connection {
    /// Creates a connection whose stream is watched, and whose task is `driver`.
    pub(super) fn new(
        handle: MultiplexedConnection,
        traffic: Arc<Traffic>,
        driver: Option<AbortHandle>,
    ) -> Self {
        Self {
            handle,
            traffic,
            driver,
            is_silent: AtomicBool::new(false),
            answered_at: AtomicU64::new(0),
            discarded: AtomicBool::new(false),
            generation: 0,
            tracking: None,
        }
    }

    /// Adds the state of the announcements, which the connection passes to its listener.
    pub(super) fn with_tracking(mut self, tracking: Tracking) -> Self {
        self.tracking = Some(tracking);
        self
    }

    pub(super) const fn tracking(&self) -> Option<&Tracking> {
        self.tracking.as_ref()
    }

    /// Sets the number of the master that the connection leads to.
    #[cfg(feature = "sentinel")]
    pub(super) fn with_generation(mut self, generation: u64) -> Self {
        self.generation = generation;
        self
    }

    pub(super) fn generation(&self) -> u64 {
        self.generation
    }

    /// Creates a connection that a pool has made. Only its whole answers can be observed.
    #[cfg(any(feature = "pool", test))]
    pub(super) fn of_pool(handle: MultiplexedConnection) -> Self {
        Self::new(handle, Traffic::new(), None)
    }

    pub(super) fn handle(&self) -> MultiplexedConnection {
        self.handle.clone()
    }

    pub(super) fn age(&self) -> Duration {
        self.traffic.age()
    }

    /// Waits for `answer` from `start` on, until nothing has arrived on the connection for
    /// `patience`; `None` if nothing has.
    pub(super) async fn answer_or_silence<T>(
        &self,
        start: Instant,
        patience: Duration,
        deadline: Instant,
        mut answer: Pin<&mut impl Future<Output = T>>,
    ) -> Option<T> {
        let mut until = deadline.min(start + patience);
        loop {
            if let Ok(answer) = timeout_at(until, answer.as_mut()).await {
                return Some(answer);
            }
            // Answers come in order: while bytes arrive, they are those of earlier requests, or
            // ours.
            let extended = deadline.min(self.traffic.last_arrival() + patience);
            if extended <= until {
                return None;
            }
            until = extended;
        }
    }

    /// Records that a command was answered that was sent at `sent` or later.
    pub(super) fn record_answer(&self, sent: Instant) {
        if let Some(tracking) = &self.tracking {
            tracking.record_answer(sent);
        }
        // Written only when it changes: all calls share this cache line.
        if self.is_silent.load(Ordering::Relaxed) {
            self.is_silent.store(false, Ordering::Relaxed);
        }
        let now = self.age().as_secs() + 1;
        if self.answered_at.load(Ordering::Relaxed) != now {
            self.answered_at.store(now, Ordering::Relaxed);
        }
        if self.driver.is_none() {
            self.traffic.record_arrival();
        }
    }

    /// Records that a call begun at `start` timed out, and returns whether to discard the
    /// connection.
    pub(super) fn record_timeout(&self, start: Instant, silence: Duration) -> bool {
        // A call that had little time left proves nothing.
        if start.max(self.traffic.last_arrival()).elapsed() >= silence {
            // The server may only be slow: the next call tries another connection as well.
            self.is_silent.store(true, Ordering::Relaxed);
            return false;
        }
        let answered = Duration::from_secs(self.answered_at.load(Ordering::Relaxed));
        self.age() > answered + ENDLESS
    }

    /// Whether the connection may be dead: nothing arrived for a while, or not in time.
    pub(super) fn is_suspect(&self) -> bool {
        self.is_silent.load(Ordering::Relaxed) || self.traffic.last_arrival().elapsed() >= IDLE
    }

    /// Whether nothing arrived for a moment, as between the requests of an idle application.
    pub(super) fn is_quiet(&self) -> bool {
        self.traffic.last_arrival().elapsed() >= QUIET
    }

    pub(super) fn has_served(&self) -> bool {
        self.answered_at.load(Ordering::Relaxed) != 0
    }

    /// Whether the task of the connection has ended. A cheap check.
    ///
    /// The task ends with the stream, and with the runtime that made the connection.
    pub(super) fn has_ended(&self) -> bool {
        self.driver.as_ref().is_some_and(AbortHandle::is_finished)
    }

    /// Whether the connection is closed.
    ///
    /// redis-rs reports this only to a caller that sends. So on a connection of a pool, this sends
    /// a `PING` and does not wait for the answer.
    pub(super) fn is_closed(&self) -> bool {
        if self.driver.is_some() {
            return self.has_ended();
        }
        let mut handle = self.handle();
        let ping = cmd("PING");
        let sending = pin!(handle.send_packed_command(&ping));
        let mut context = Context::from_waker(Waker::noop());
        matches!(sending.poll(&mut context), Poll::Ready(Err(_)))
    }

    /// Returns the state of the stream before a call, for [`never_written`](Self::never_written).
    pub(super) fn writes(&self) -> Option<u64> {
        self.driver.is_some().then(|| self.traffic.writes())
    }

    /// Whether nothing was written to the stream since `writes`. False if this is unknown.
    pub(super) fn never_written(&self, writes: Option<u64>) -> bool {
        writes.is_some_and(|writes| writes == self.traffic.writes())
    }

    /// Stops the connection once no call uses it any more.
    pub(super) fn discard(&self) {
        self.discarded.store(true, Ordering::Relaxed);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let Some(tracking) = &self.tracking {
            tracking.end();
        }
        // Before the task ends, it writes what is left: to a peer that reads nothing, it would try
        // without end.
        // A connection in use by `RedisStore::connection` beyond the store goes on.
        if self.discarded.load(Ordering::Relaxed)
            && let Some(driver) = &self.driver
        {
            driver.abort();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::{Pin, pin};
    use std::sync::Arc;
    use std::task::{Context, Poll, Waker};

    use redis::aio::MultiplexedConnection;
    use redis::{AsyncConnectionConfig, RedisConnectionInfo, cmd};
    use tokio::io::{AsyncReadExt, DuplexStream};

    use super::Connection;
    use crate::store::redis::traffic::{Traffic, Watched};

    async fn connection() -> (Connection, DuplexStream) {
        let (stream, server) = tokio::io::duplex(1024);
        let traffic = Traffic::new();
        let (handle, driver) = MultiplexedConnection::new_with_config(
            &RedisConnectionInfo::default().set_skip_set_lib_name(),
            Watched::new(stream, Arc::clone(&traffic)),
            AsyncConnectionConfig::new().set_response_timeout(None),
        )
        .await
        .unwrap();
        let driver = tokio::spawn(driver).abort_handle();
        let connection = Connection::new(handle, traffic, Some(driver));
        (connection, server)
    }

    /// On one thread, the task of the connection sees the command and the close at the same time.
    #[tokio::test]
    async fn a_command_on_a_closed_connection_was_never_written() {
        let (connection, server) = connection().await;
        tokio::task::yield_now().await;
        drop(server);
        assert!(!connection.is_closed(), "its task has not run yet");
        let writes = connection.writes();
        let mut handle = connection.handle();
        let error = handle.send_packed_command(&cmd("PING")).await;
        assert!(error.unwrap_err().is_connection_dropped());
        assert!(connection.never_written(writes));
        tokio::task::yield_now().await;
        assert!(connection.is_closed() && connection.has_ended());
    }

    #[tokio::test]
    async fn a_command_that_was_written_is_reported_as_written() {
        let (connection, mut server) = connection().await;
        let writes = connection.writes();
        let mut handle = connection.handle();
        let ping = cmd("PING");
        let close = async {
            server.read_u8().await.unwrap();
            drop(server);
        };
        let (error, ()) = tokio::join!(handle.send_packed_command(&ping), close);
        assert!(error.unwrap_err().is_connection_dropped());
        assert!(!connection.never_written(writes));
        let pooled = Connection::of_pool(handle);
        assert!(!pooled.never_written(pooled.writes()), "unknown");
    }

    fn is_ready<T>(future: Pin<&mut impl Future<Output = T>>) -> bool {
        let mut context = Context::from_waker(Waker::noop());
        matches!(future.poll(&mut context), Poll::Ready(_))
    }

    /// A caller may give up while its command waits to be written, which then is written.
    #[tokio::test]
    async fn a_command_that_waits_to_be_written_counts_as_written() {
        let (stream, mut server) = tokio::io::duplex(1024);
        let traffic = Traffic::new();
        let stream = Watched::new(stream, Arc::clone(&traffic));
        let settings = RedisConnectionInfo::default().set_skip_set_lib_name();
        let opening = MultiplexedConnection::new(&settings, stream);
        let (mut handle, driver) = opening.await.unwrap();
        let (mut other, mut driver) = (handle.clone(), pin!(driver));
        let driving = tokio::spawn(std::future::pending::<()>()).abort_handle();
        let connection = Connection::new(handle.clone(), traffic, Some(driving));
        let ping = cmd("PING");
        let mut awaited = pin!(other.send_packed_command(&ping));
        assert!(!is_ready(awaited.as_mut()) && !is_ready(driver.as_mut()));
        let mut received = Vec::new();
        server.read_buf(&mut received).await.unwrap();

        let writes = connection.writes();
        let mut late = Box::pin(handle.send_packed_command(&ping));
        assert!(!is_ready(late.as_mut()) && !is_ready(driver.as_mut()));
        let never_written = connection.never_written(writes);
        drop(late);
        assert!(!is_ready(driver.as_mut()));
        server.read_buf(&mut received).await.unwrap();
        let sent = received.iter().filter(|&&byte| byte == b'P');
        assert_eq!((sent.count(), never_written), (2, false));
    }
}
