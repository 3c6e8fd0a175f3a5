//! A connection on which Redis announces changes of the keys that were read.

use std::sync::Arc;
use std::time::Duration;

use redis::aio::SendError;
use redis::{AsyncConnectionConfig, Pipeline, PushInfo, PushKind, Value, cmd};
use tokio::time::{Instant, timeout};

use super::queue::Queue;
use crate::store::error::{Result, StoreError, StoreErrorKind};
use crate::store::redis::connect::Connector;
use crate::store::redis::connection::Connection;
use crate::store::redis::endpoint::Pushes;
use crate::store::redis::error;
use crate::store::watches::{RecordWatches, WatchEvent};

/// Connection with `CLIENT TRACKING ON OPTIN`.
pub(super) struct Tracked {
    connection: Connection,
    connector: Arc<Connector>,
    pub(super) queue: Arc<Queue>,
}

impl Tracked {
    /// Connects. Announced changes of `watches` are put into the queue of the connection.
    ///
    /// # Errors
    ///
    /// An error for which [`is_rejection`] is true if the server rejects tracking.
    pub(super) async fn connect(
        connector: &Arc<Connector>,
        watches: &RecordWatches,
    ) -> Result<Self> {
        // One queue for each connection: the end of the last one is not taken for that of the next.
        let queue = Arc::new(Queue::default());
        let config = {
            let (queue, watches) = (Arc::clone(&queue), watches.clone());
            AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
                announced(&push, &queue, &watches);
                Ok::<_, SendError>(())
            })
        };
        let tracked = Self {
            connection: connector.connect(Pushes::To(Box::new(config))).await?,
            connector: Arc::clone(connector),
            queue,
        };
        let mut tracking = cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON").arg("OPTIN");
        let mut caching = cmd("CLIENT");
        caching.arg("CACHING").arg("YES");
        let mut pipeline = Pipeline::new();
        // The second command only shows whether the account may send it.
        pipeline.add_command(tracking).add_command(caching);
        for answer in tracked.send(&pipeline).await? {
            if let Value::ServerError(answer) = answer {
                return Err(error::rejected(&answer));
            }
        }
        Ok(tracked)
    }

    /// Whether the server is still the master.
    pub(super) fn is_current(&self) -> bool {
        self.connection.generation() == self.connector.generation()
    }

    /// Whether the server still answers for `key`.
    pub(super) async fn answers_for(&self, key: &Arc<str>) -> Result<bool> {
        let answers = self.pttl(std::slice::from_ref(key), false).await?;
        let is_answered = |answer| Ok(event(answer)? != WatchEvent::Interrupted);
        answers.first().map_or(Ok(false), is_answered)
    }

    /// Reads `keys`, so that their next changes are announced, and reports what was found, and
    /// when. Returns the keys without a record, whose changes are not announced.
    pub(super) async fn read(
        &self,
        keys: Vec<Arc<str>>,
        report: impl Fn(&str, WatchEvent, Instant),
    ) -> Result<Vec<Arc<str>>> {
        // At first only to find out which exist. An absent key would stay in the server's memory:
        // it does not change any more.
        let mut absent = Vec::new();
        let mut present = Vec::new();
        let now = Instant::now();
        let answers = self.pttl(&keys, false).await?;
        for (key, answer) in keys.into_iter().zip(answers) {
            match event(&answer)? {
                WatchEvent::Exists { .. } => present.push(key),
                event => {
                    report(&key, event, now);
                    absent.push(key);
                }
            }
        }
        // Before the request, so that the end of a TTL is not computed too late.
        let now = Instant::now();
        let answers = self.pttl(&present, true).await?;
        for (key, answer) in present.iter().zip(answers) {
            report(key, event(&answer)?, now);
        }
        Ok(absent)
    }

    /// Sends `PTTL` for each key, and lets the next change be announced if `is_tracked`.
    async fn pttl(&self, keys: &[Arc<str>], is_tracked: bool) -> Result<Vec<Value>> {
        let mut pipeline = Pipeline::with_capacity(2 * keys.len());
        for key in keys {
            if is_tracked {
                let mut caching = cmd("CLIENT");
                caching.arg("CACHING").arg("YES");
                pipeline.add_command(caching);
            }
            let mut pttl = cmd("PTTL");
            pttl.arg(&**key);
            pipeline.add_command(pttl);
        }
        let answers = self.send(&pipeline).await?;
        let per_key = 1 + usize::from(is_tracked);
        let last = answers.into_iter().skip(per_key - 1).step_by(per_key);
        Ok(last.collect())
    }

    async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>> {
        if pipeline.is_empty() {
            return Ok(Vec::new());
        }
        let mut handle = self.connection.handle();
        let sending = handle.send_packed_commands(pipeline, 0, pipeline.len());
        match timeout(self.connector.limits.response, sending).await {
            Ok(answers) => answers.map_err(|error| error::broken(&error, self.connector.address())),
            Err(_) => Err(self.connector.late()),
        }
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.connection.discard();
    }
}

/// Whether the server itself rejects tracking, so that an early retry is useless.
pub(super) fn is_rejection(error: &StoreError) -> bool {
    matches!(
        error.kind(),
        StoreErrorKind::Permission | StoreErrorKind::Configuration | StoreErrorKind::Other
    )
}

/// Returns what the answer of `PTTL` shows.
///
/// # Errors
///
/// Returns the error of a server that rejects commands for now.
fn event(answer: &Value) -> Result<WatchEvent> {
    Ok(match answer {
        Value::Int(-1) => WatchEvent::exists(None),
        Value::Int(millis) => match u64::try_from(*millis) {
            Ok(millis) => WatchEvent::exists(Some(Duration::from_millis(millis))),
            Err(_) => WatchEvent::MayBeGone,
        },
        Value::ServerError(answer) => match error::rejected(answer) {
            // The account may not read this key, or another node of the cluster has it.
            rejection
                if matches!(
                    rejection.kind(),
                    StoreErrorKind::Permission | StoreErrorKind::Cluster
                ) =>
            {
                WatchEvent::Interrupted
            }
            rejection => return Err(rejection),
        },
        _ => return Err(StoreErrorKind::Protocol.into()),
    })
}

/// Runs in the task of the connection, so it must not wait.
fn announced(push: &PushInfo, queue: &Queue, watches: &RecordWatches) {
    match (&push.kind, &push.data[..]) {
        (PushKind::Disconnection, _) => queue.lose(),
        (PushKind::Invalidate, [Value::Array(keys)]) => {
            for key in keys {
                if let Value::BulkString(key) = key
                    && let Ok(key) = str::from_utf8(key)
                    && let Some(key) = watches.shared_key(key)
                {
                    queue.add_first(key);
                }
            }
        }
        // All keys: the database was flushed.
        (PushKind::Invalidate, _) => queue.replace(|| watches.keys()),
        _ => {}
    }
}
