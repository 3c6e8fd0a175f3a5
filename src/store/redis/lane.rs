//! Requests over one shared connection, each within its deadline.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use redis::aio::MultiplexedConnection;
use redis::{RedisResult, cmd};
use tokio::task::yield_now;
use tokio::time::{Duration, Instant};

use super::answers::Answers;
use super::cache::LocalCache;
use super::connect::Connector;
use super::connection::Connection;
use super::error;
use super::request::Request;
use super::shared_connection::SharedConnection;
use crate::store::error::{Result, StoreError, StoreErrorKind};

/// The silence on a connection that may be dead after which another one is made.
const SILENCE: Duration = Duration::from_millis(250);

/// Sends requests over one shared connection.
pub(super) struct Lane {
    shared: Arc<SharedConnection>,
    connector: Arc<Connector>,
}

/// Why a request failed.
pub(super) struct Failure {
    pub(super) error: StoreError,
    /// Whether the connection broke, so that another one may serve the request.
    broke: bool,
    /// Whether the server may have applied the request.
    pub(super) may_be_applied: bool,
}

impl Lane {
    /// Creates a lane. Changes of records are announced on its connection if there is a `cache`.
    pub(super) fn new(connector: Arc<Connector>, cache: Option<Arc<LocalCache>>) -> Self {
        Self {
            shared: SharedConnection::new(Arc::clone(&connector), cache),
            connector,
        }
    }

    pub(super) async fn handle(&self, deadline: Instant) -> Result<MultiplexedConnection> {
        Ok(self.shared.acquire(deadline).await?.handle())
    }

    /// Calls `f` with the connection in use, if there is one that is open.
    pub(super) fn with_current<T>(&self, f: impl FnOnce(Option<&Connection>) -> T) -> T {
        self.shared.with_current(f)
    }

    /// Sends `request` and reads its answers with `read`.
    ///
    /// A request that only reads is sent a second time if the connection breaks, any other only
    /// if it is certain that nothing of it was written.
    pub(super) async fn run<T>(
        &self,
        request: &Request,
        deadline: Instant,
        read: impl FnOnce(&mut Answers) -> Result<T>,
    ) -> Result<T, Failure> {
        let mut attempt = self.attempt(request, deadline).await;
        // Once only: a request that breaks two connections in a row may be the cause.
        if let Err(failure) = &attempt
            && failure.broke
            && (request.is_read() || !failure.may_be_applied)
        {
            attempt = self.attempt(request, deadline).await;
        }
        let (mut answers, connection) = attempt?;
        read(&mut answers).map_err(|error| {
            self.inspect(&connection, &error);
            Failure {
                error,
                broke: false,
                may_be_applied: true,
            }
        })
    }

    /// Discards the connection in use if `error` shows that its answers are unusable.
    #[cfg(feature = "cluster")]
    pub(super) fn inspect_current(&self, error: &StoreError) {
        if let Some(connection) = self.shared.current() {
            self.inspect(&connection, error);
        }
    }

    /// Discards a connection whose answers show that it is unusable.
    fn inspect(&self, connection: &Arc<Connection>, error: &StoreError) {
        match error.kind() {
            // Answers that do not fit may belong to other requests: never use it again.
            StoreErrorKind::Protocol => self.shared.discard(connection, error),
            // The address may lead to another server by now: to the new master after a failover.
            StoreErrorKind::ReadOnly | StoreErrorKind::Auth => {
                self.shared.discard_if_rejected(connection, error);
            }
            _ => {}
        }
    }

    async fn attempt(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<(Answers, Arc<Connection>), Failure> {
        let connection = self.usable(request, deadline).await?;
        let writes = connection.writes();
        let mut handle = connection.handle();
        // Futures are pinned here and borrowed, and boxed where they are rarely needed: the future
        // of every call is as large as the largest of them, and a move would copy it.
        let sending = pin!(request.send(&mut handle));
        let result = if request.is_read() && connection.is_suspect() {
            Box::pin(self.answer_unless_replaced(&connection, deadline, sending)).await
        } else {
            self.answer(&connection, deadline, sending).await
        };
        match result {
            Ok(answers) => Ok((answers, connection)),
            Err(mut failure) => {
                // A write may only be sent again if nothing of it was written: otherwise it could
                // be applied twice.
                failure.may_be_applied = !connection.never_written(writes);
                Err(failure)
            }
        }
    }

    /// Returns a connection that is fit for `request`.
    ///
    /// Servers and networks close idle connections, the latter without notice. A write is never
    /// sent twice, so the connection must prove to be alive before it.
    async fn usable(
        &self,
        request: &Request,
        deadline: Instant,
    ) -> Result<Arc<Connection>, Failure> {
        let connection = self.shared.acquire(deadline).await?;
        if request.is_read() {
            return Ok(connection);
        }
        if connection.is_quiet() {
            // The kernel may have closed the connection before its task could notice: on a runtime
            // of one thread the task does not run while the caller does. The first yield
            // polls the sockets, the second one runs the task.
            yield_now().await;
            yield_now().await;
        }
        if connection.is_closed() {
            let error = self.connector.unreachable();
            self.shared.discard(&connection, &error);
            return Ok(self.shared.acquire(deadline).await?);
        }
        if connection.is_suspect()
            && let Err(failure) = Box::pin(self.ping(&connection, deadline)).await
        {
            // Nothing but a PING was sent.
            return Err(Failure {
                may_be_applied: false,
                ..failure
            });
        }
        Ok(connection)
    }

    async fn ping(&self, connection: &Arc<Connection>, deadline: Instant) -> Result<(), Failure> {
        let mut handle = connection.handle();
        let ping = cmd("PING");
        let ping = pin!(handle.send_packed_command(&ping));
        let pong = self.answer_unless_replaced(connection, deadline, ping);
        pong.await.map(drop)
    }

    /// Waits for `answer`, for as long as bytes arrive on the connection.
    async fn answer<T>(
        &self,
        connection: &Arc<Connection>,
        deadline: Instant,
        answer: Pin<&mut impl Future<Output = RedisResult<T>>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let patience = self.connector.limits.response;
        let answer = connection.answer_or_silence(start, patience, deadline, answer);
        self.record(connection, start, answer.await)
    }

    /// Waits for `answer` on a connection that may be dead: after some silence another one is
    /// made, and the answer or the connection counts, whichever is first. So a slow server that
    /// still answers costs nothing.
    async fn answer_unless_replaced<T>(
        &self,
        connection: &Arc<Connection>,
        deadline: Instant,
        mut answer: Pin<&mut impl Future<Output = RedisResult<T>>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let silence = self.silence();
        let first = connection.answer_or_silence(start, silence, deadline, answer.as_mut());
        let first = first.await;
        // At the deadline the silence may have been short: it proves nothing.
        if first.is_some() || Instant::now() >= deadline {
            return self.record(connection, start, first);
        }
        let error = self.connector.late();
        self.shared.discard(connection, &error);
        let mut replacement = pin!(self.shared.acquire(deadline));
        // Not `select!`, which needs the procedural macros of tokio.
        let race = poll_fn(|cx| match answer.as_mut().poll(cx) {
            Poll::Ready(answer) => Poll::Ready(Ok(answer)),
            Poll::Pending => replacement.as_mut().poll(cx).map(Err),
        });
        match race.await {
            Ok(answer) => self.record(connection, start, Some(answer)),
            Err(Ok(_)) => Err(Failure {
                error,
                broke: true,
                may_be_applied: true,
            }),
            // No other connection can be made: the answer may still arrive on the old one.
            Err(Err(_)) => {
                let patience = self.connector.limits.response;
                let last = connection.answer_or_silence(start, patience, deadline, answer);
                self.record(connection, start, last.await)
            }
        }
    }

    /// Records what an answer, or its absence since `start`, shows of the connection.
    fn record<T>(
        &self,
        connection: &Arc<Connection>,
        start: Instant,
        answer: Option<RedisResult<T>>,
    ) -> Result<T, Failure> {
        match answer {
            Some(Ok(answer)) => {
                connection.record_answer(start);
                Ok(answer)
            }
            // A connection of a pool may have its own response timeout.
            Some(Err(error)) if !error.is_timeout() => {
                let error = error::broken(&error, self.connector.address());
                self.shared.discard(connection, &error);
                Err(Failure {
                    error,
                    broke: true,
                    may_be_applied: true,
                })
            }
            _ => {
                let error = self.connector.late();
                if connection.record_timeout(start, self.silence()) {
                    self.shared.discard(connection, &error);
                }
                Err(error.into())
            }
        }
    }

    /// How long a connection that may be dead may be silent.
    fn silence(&self) -> Duration {
        SILENCE.min(self.connector.limits.response)
    }
}

/// For an error before anything was sent.
impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            broke: false,
            may_be_applied: false,
        }
    }
}
