//! Requests over one shared connection, each within its deadline.

use std::pin::{Pin, pin};
use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{RedisError, RedisResult, cmd};
use tokio::task::yield_now;
use tokio::time::{Duration, Instant, timeout_at};

use super::answers::Answers;
use super::config::Limits;
use super::connect::Connector;
use super::connection::Connection;
use super::error;
use super::race::{Either, race};
use super::request::Request;
use super::shared_connection::SharedConnection;
use crate::store::error::{StoreError, StoreErrorKind};

/// The silence on a connection that may be dead after which another one is made.
const SILENCE: Duration = Duration::from_millis(250);

/// Sends requests over one shared connection.
#[derive(Debug)]
pub(super) struct Lane {
    shared: Arc<SharedConnection>,
    connector: Arc<Connector>,
    limits: Limits,
}

/// Why an attempt failed, and whether the request may be sent again over another connection.
struct Failure {
    error: StoreError,
    may_resend: bool,
}

/// Answers, and the connection on which they came.
type Answered = (Answers, Arc<Connection>);

impl Lane {
    /// Creates a lane that connects when first used.
    pub(super) fn new(connector: Arc<Connector>, limits: Limits) -> Self {
        Self {
            shared: SharedConnection::new(connector.clone(), limits.renewal),
            connector,
            limits,
        }
    }

    /// Returns a handle on the shared connection.
    pub(super) async fn handle(
        &self,
        deadline: Instant,
    ) -> Result<MultiplexedConnection, StoreError> {
        Ok(self.shared.acquire(deadline).await?.handle())
    }

    /// Sends `request` and reads its answers with `read`.
    ///
    /// A request that only reads is sent a second time if the connection breaks, any other only
    /// if it is certain that nothing of it was written.
    pub(super) async fn run<T>(
        &self,
        request: &Request,
        deadline: Instant,
        read: impl FnOnce(&mut Answers) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let mut resent = false;
        let (mut answers, connection) = loop {
            match self.attempt(request, deadline).await {
                Err(failure) if failure.may_resend && !resent => resent = true,
                result => break result.map_err(|failure| failure.error)?,
            }
        };
        read(&mut answers).inspect_err(|error| self.inspect(&connection, error))
    }

    /// Gives up a connection whose answers show that it is of no use.
    fn inspect(&self, connection: &Arc<Connection>, error: &StoreError) {
        match error.kind() {
            // Answers that do not fit may belong to other requests: never use it again.
            StoreErrorKind::Protocol => self.shared.discard(connection, error),
            StoreErrorKind::ReadOnly | StoreErrorKind::Auth => {
                self.shared.discard_if_rejected(connection, error);
            }
            _ => {}
        }
    }

    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Answered, Failure> {
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
                // A read may be sent twice. A write may only be sent again if nothing of it was
                // written: otherwise it could be applied twice.
                failure.may_resend &= request.is_read() || connection.never_written(writes);
                Err(failure)
            }
        }
    }

    /// Returns a connection that is fit for `request`.
    ///
    /// Servers and networks close idle connections, the latter without a word. A write is never
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
            // The kernel may know of the end of the connection, and its task not yet: on a runtime
            // of one thread it does not run while the caller does. The first turn polls the
            // sockets, the second one is that of the task.
            yield_now().await;
            yield_now().await;
        }
        if connection.is_closed() {
            self.shared.discard(&connection, &self.unreachable());
            return Ok(self.shared.acquire(deadline).await?);
        }
        if connection.is_suspect() {
            Box::pin(self.ping(&connection, deadline)).await?;
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
        let patience = self.limits.response;
        match answer_or_silence(connection, start, patience, deadline, answer).await {
            Some(result) => self.settle(connection, start, result),
            None => Err(self.timed_out(connection, start)),
        }
    }

    /// Waits for `answer` on a connection that may be dead: after some silence another one is
    /// made, and whichever arrives first counts: the answer or the connection. A slow server that
    /// still answers costs nothing.
    async fn answer_unless_replaced<T>(
        &self,
        connection: &Arc<Connection>,
        deadline: Instant,
        mut answer: Pin<&mut impl Future<Output = RedisResult<T>>>,
    ) -> Result<T, Failure> {
        let start = Instant::now();
        let patience = self.silence();
        let first = answer_or_silence(connection, start, patience, deadline, answer.as_mut());
        if let Some(result) = first.await {
            return self.settle(connection, start, result);
        }
        if Instant::now() >= deadline {
            // The silence was short: the call had no time left.
            return Err(self.timed_out(connection, start));
        }
        self.shared.discard(connection, &self.connector.late());
        match race(answer.as_mut(), pin!(self.shared.acquire(deadline))).await {
            Either::Left(result) => self.settle(connection, start, result),
            Either::Right(Ok(_)) => Err(Failure {
                error: self.connector.late(),
                may_resend: true,
            }),
            // No other connection can be made: the answer may still arrive on the old one.
            Either::Right(Err(_)) => {
                let patience = self.limits.response;
                match answer_or_silence(connection, start, patience, deadline, answer).await {
                    Some(result) => self.settle(connection, start, result),
                    None => Err(self.timed_out(connection, start)),
                }
            }
        }
    }

    fn settle<T>(
        &self,
        connection: &Arc<Connection>,
        start: Instant,
        result: RedisResult<T>,
    ) -> Result<T, Failure> {
        match result {
            Ok(answer) => {
                connection.record_answer();
                Ok(answer)
            }
            // A connection of a pool may have its own response time-out.
            Err(error) if error.is_timeout() => Err(self.timed_out(connection, start)),
            Err(error) => Err(self.broken(connection, &error)),
        }
    }

    fn broken(&self, connection: &Arc<Connection>, error: &RedisError) -> Failure {
        let error = error::broken(error, self.connector.address());
        self.shared.discard(connection, &error);
        Failure {
            error,
            may_resend: true,
        }
    }

    fn timed_out(&self, connection: &Arc<Connection>, start: Instant) -> Failure {
        let error = self.connector.late();
        if connection.record_timeout(start, self.silence()) {
            self.shared.discard(connection, &error);
        }
        error.into()
    }

    /// How long a connection that may be dead may be silent.
    fn silence(&self) -> Duration {
        SILENCE.min(self.limits.response)
    }

    fn unreachable(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Connection).with_detail(self.connector.address())
    }
}

/// Waits for `answer` from `start` on, until nothing has arrived on the connection for
/// `patience`; `None` if nothing has.
async fn answer_or_silence<T>(
    connection: &Connection,
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
        // Answers come in order: while bytes arrive, they are those of earlier requests, or ours.
        let extended = deadline.min(connection.last_arrival() + patience);
        if extended <= until {
            return None;
        }
        until = extended;
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            may_resend: false,
        }
    }
}
