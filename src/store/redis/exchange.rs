//! One call: its batch out, its answers in, all in time.

use std::sync::Arc;

use redis::aio::MultiplexedConnection;
use redis::{Value, cmd};
use tokio::time::{Instant, timeout_at};

use super::batch::Batch;
use super::config::Limits;
use super::decode::decode;
use super::dial::Dialer;
use super::fault;
use super::lease::{Lease, Link};
use crate::store::error::{StoreError, StoreErrorKind};
use crate::store::legacy::{Command, Reply};

/// Carries calls over the shared connection.
#[derive(Debug)]
pub(super) struct Exchange {
    lease: Arc<Lease>,
    limits: Limits,
}

/// Why an attempt failed, and whether the connection broke under it.
struct Failure {
    error: StoreError,
    broken: bool,
}

impl Exchange {
    /// Prepares to carry calls to where `dialer` leads.
    pub(super) fn new(dialer: Dialer, limits: Limits) -> Self {
        Self {
            lease: Lease::new(dialer, limits.renewal),
            limits,
        }
    }

    /// Where the server is, for error messages.
    pub(super) fn address(&self) -> &str {
        self.lease.address()
    }

    /// Returns a handle on the shared connection, with a response timeout of its own.
    pub(super) async fn connection(&self) -> Result<MultiplexedConnection, StoreError> {
        let deadline = Instant::now() + self.limits.deadline;
        let mut connection = self.lease.acquire(deadline).await?.connection.clone();
        connection.set_response_timeout(self.limits.response);
        Ok(connection)
    }

    /// Runs `commands`, those that only read a second time if the connection broke.
    pub(super) async fn run(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let deadline = Instant::now() + self.limits.deadline;
        let batch = Batch::encode(commands);
        if batch.is_empty() {
            return decode(commands, Vec::new());
        }
        let mut result = self.attempt(&batch, commands, deadline).await;
        if matches!(&result, Err(failure) if failure.broken)
            && commands.iter().all(Command::is_read)
        {
            result = self.attempt(&batch, commands, deadline).await;
        }
        result.map_err(|failure| {
            self.lease.journal.failed(&failure.error);
            failure.error
        })
    }

    async fn attempt(
        &self,
        batch: &Batch<'_>,
        commands: &[Command<'_>],
        deadline: Instant,
    ) -> Result<Vec<Reply>, Failure> {
        let link = self.link(commands, deadline).await?;
        let mut connection = link.connection.clone();
        let until = deadline.min(Instant::now() + self.limits.response);
        match timeout_at(until, batch.send(&mut connection)).await {
            Ok(Ok(answers)) => {
                link.answered();
                self.read(commands, answers, &link).map_err(Failure::from)
            }
            Ok(Err(error)) if !error.is_timeout() => {
                let error = fault::broken(&error, self.lease.address());
                self.lease.discard(&link, &error);
                Err(Failure {
                    error,
                    broken: true,
                })
            }
            Ok(Err(_)) | Err(_) => {
                let error = self.late();
                self.lease.timed_out(&link, &error);
                Err(error.into())
            }
        }
    }

    fn read(
        &self,
        commands: &[Command<'_>],
        answers: Vec<Value>,
        link: &Arc<Link>,
    ) -> Result<Vec<Reply>, StoreError> {
        decode(commands, answers).inspect_err(|error| match error.kind() {
            // Answers that do not fit may belong to other questions: never use it again.
            StoreErrorKind::Protocol => self.lease.discard(link, error),
            StoreErrorKind::ReadOnly | StoreErrorKind::Auth => {
                self.lease.turned_away(link, error);
            }
            _ => {}
        })
    }

    /// Returns a connection that is fit for `commands`: before a write, which is never sent
    /// twice, a connection that was idle is tried, because servers and networks close those.
    async fn link(
        &self,
        commands: &[Command<'_>],
        deadline: Instant,
    ) -> Result<Arc<Link>, StoreError> {
        let link = self.lease.acquire(deadline).await?;
        if !link.is_idle() || commands.iter().all(Command::is_read) {
            return Ok(link);
        }
        let mut connection = link.connection.clone();
        let until = deadline.min(Instant::now() + self.limits.response);
        match timeout_at(until, connection.send_packed_command(&cmd("PING"))).await {
            Ok(Ok(_)) => {
                link.answered();
                Ok(link)
            }
            Ok(Err(error)) if !error.is_timeout() => {
                let error = fault::broken(&error, self.lease.address());
                self.lease.discard(&link, &error);
                self.lease.acquire(deadline).await
            }
            Ok(Err(_)) | Err(_) => {
                let error = self.late();
                self.lease.timed_out(&link, &error);
                Err(error)
            }
        }
    }

    /// The error of a call that took too long.
    pub(super) fn late(&self) -> StoreError {
        StoreError::new(StoreErrorKind::Timeout).with_detail(self.lease.address())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self {
            error,
            broken: false,
        }
    }
}
