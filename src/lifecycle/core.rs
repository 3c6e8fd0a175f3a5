//! What every operation on sessions works with.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tracing::Instrument as _;

use crate::clock::{Clock, unix_millis};
use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::lifetime::{Lifetime, Remaining};
use crate::record::Record;
use crate::record::keyspace::Keyspace;
use crate::record::owner::Owner;
use crate::store::{Command, Reply, Store, StoreError, StoreErrorKind};
use crate::telemetry;
use crate::token::TokenFormat;

/// Everything that the operations on sessions share; one file beside this one an operation.
pub(crate) struct Engine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) format: TokenFormat,
    pub(crate) keyspace: Keyspace,
    pub(crate) lifetime: Lifetime,
    pub(crate) touch_every_read: bool,
    /// How long after its last use a read pushes a session's time to live back.
    pub(crate) touch_after: Duration,
    pub(crate) max_size: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) new_id: Arc<dyn Fn() -> SessionId + Send + Sync>,
}

/// How long an index outlives the last of its records: room for the moment between writing the
/// one and the other, and for rounding to seconds.
const INDEX_SLACK: Duration = Duration::from_secs(60);

impl Engine {
    pub(crate) fn now_millis(&self) -> i64 {
        unix_millis(self.clock.now())
    }

    pub(crate) fn now(&self) -> i64 {
        self.now_millis().div_euclid(1000)
    }

    /// The time of a mark: Unix seconds, at least 1.
    pub(crate) fn mark_time(&self) -> i64 {
        self.now().max(1)
    }

    /// Runs a fixed batch of commands.
    pub(crate) async fn run<const N: usize>(
        &self,
        commands: [Command<'_>; N],
    ) -> Result<[Reply; N], SessionError> {
        Ok(self
            .run_all(&commands)
            .await?
            .try_into()
            .map_err(|_| short())?)
    }

    /// Runs a batch of commands; as many replies come back.
    pub(crate) async fn run_all(&self, commands: &[Command<'_>]) -> Result<Vec<Reply>, StoreError> {
        let timer = telemetry::StoreTimer::start();
        let result = self.store.run(commands).await.and_then(|replies| {
            if replies.len() == commands.len() {
                Ok(replies)
            } else {
                Err(short())
            }
        });
        timer.stop(commands, &result);
        result
    }

    /// The command that lists a session with its owner, for as long as the record lives.
    pub(crate) fn put<'a>(&self, index: &'a str, id: &'a SessionId, ttl: Duration) -> Command<'a> {
        let (member, score, ttl) = (id.as_str(), self.score(ttl), ttl + INDEX_SLACK);
        Command::IndexPut {
            index,
            member,
            score,
            ttl,
        }
    }

    /// As [`Engine::put`], for a session whose mark has come to nothing.
    pub(crate) fn unmark<'a>(
        &self,
        index: &'a str,
        id: &'a SessionId,
        ttl: Duration,
    ) -> Command<'a> {
        let (member, score, ttl) = (id.as_str(), self.score(ttl), ttl + INDEX_SLACK);
        Command::IndexUnmark {
            index,
            member,
            score,
            ttl,
        }
    }

    fn score(&self, ttl: Duration) -> i64 {
        let lives = i64::try_from((ttl + INDEX_SLACK).as_secs()).unwrap_or(i64::MAX);
        self.now().saturating_add(lives).max(0)
    }

    pub(crate) fn index(&self, owner: Option<&Owner>) -> Option<String> {
        owner.map(|owner| self.keyspace.index(owner))
    }

    /// The absolute end of `record` in Unix seconds. One that was created before there was an
    /// absolute lifetime ends when it would have ended with it.
    pub(crate) fn end(&self, record: &Record) -> Option<i64> {
        let meta = record.meta();
        meta.expires
            .or_else(|| self.lifetime.expires(meta.created?))
    }

    /// The time to live that a use now gives to `record`.
    pub(crate) fn ttl(&self, record: &Record) -> Result<Duration, SessionError> {
        self.lifetime
            .ttl(self.end(record), self.now_millis())
            .ok_or(SessionError::Gone)
    }

    /// What is left of `record` if it is written at `at` (Unix milliseconds).
    pub(crate) fn fresh(&self, record: &Record, at: i64) -> Remaining {
        let ttl = self.lifetime.ttl(self.end(record), at);
        Remaining::new(Some(ttl.unwrap_or_default()), at)
    }

    /// Takes what stands in the store for a record that a write may go on from.
    pub(crate) fn parse(&self, bytes: Bytes) -> Result<Record, SessionError> {
        let record = Record::parse(bytes).map_err(|_| SessionError::Corrupt)?;
        match self.check_size(&record) {
            Ok(()) => Ok(record),
            Err(_) => Err(SessionError::Corrupt),
        }
    }

    pub(crate) fn check_size(&self, record: &Record) -> Result<(), SessionError> {
        let (size, limit) = (record.bytes().len(), self.max_size);
        if size > limit {
            Err(SessionError::TooLarge { size, limit })
        } else {
            Ok(())
        }
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("store", &self.store)
            .field("keyspace", &self.keyspace)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

fn short() -> StoreError {
    StoreError::new(StoreErrorKind::Protocol).with_detail("not as many replies as commands")
}

/// Runs an operation of several steps to its end, even if the caller is dropped meanwhile.
pub(crate) async fn to_its_end<T: Send + 'static>(
    operation: impl Future<Output = Result<T, SessionError>> + Send + 'static,
) -> Result<T, SessionError> {
    match tokio::spawn(operation.in_current_span()).await {
        Ok(result) => result,
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(SessionError::Interrupted),
        },
    }
}

/// Starts work that nobody waits for, such as cleaning up; its failure is harmless and counted.
pub(crate) fn in_background(work: impl Future<Output = Result<(), SessionError>> + Send + 'static) {
    tokio::spawn(
        async move {
            if let Err(error) = work.await {
                tracing::debug!(%error, "background work on sessions was left undone");
            }
        }
        .in_current_span(),
    );
}

/// Waits before try number `attempt` (from 0) of a write that lost a race: not at all for the
/// first three, then a random time of at most 16 ms.
pub(crate) async fn back_off(attempt: u32) {
    if attempt < 3 {
        return;
    }
    let mut random = [0];
    crate::crypto::fill_random(&mut random);
    let most = 1000_u64 << (attempt - 3).min(4);
    tokio::time::sleep(Duration::from_micros(
        most * (u64::from(random[0]) + 1) / 256,
    ))
    .await;
}
