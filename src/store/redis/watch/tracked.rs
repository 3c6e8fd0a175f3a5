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
use crate::store::redis::error;
use crate::store::watches::{RecordWatches, WatchEvent};

/// Connection with `CLIENT TRACKING ON`.
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
    /// [`StoreErrorKind::Permission`] or another kind that is no outage if the server rejects
    /// tracking.
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
            connection: connector.connect_for(config).await?,
            connector: Arc::clone(connector),
            queue,
        };
        let mut tracking = cmd("CLIENT");
        tracking.arg("TRACKING").arg("ON");
        let mut pipeline = Pipeline::new();
        pipeline.add_command(tracking);
        match tracked.send(&pipeline).await?.pop() {
            Some(Value::ServerError(answer)) => Err(error::rejected(&answer)),
            _ => Ok(tracked),
        }
    }

    /// Whether the server is still the master.
    pub(super) fn is_current(&self) -> bool {
        self.connection.generation() == self.connector.generation()
    }

    /// Reads `keys`, so that their next changes are announced, and reports what was found. Returns
    /// whether the server answered all of them.
    pub(super) async fn read(&self, keys: &[Arc<str>], watches: &RecordWatches) -> Result<bool> {
        let mut pipeline = Pipeline::with_capacity(keys.len());
        for key in keys {
            let mut pttl = cmd("PTTL");
            pttl.arg(&**key);
            pipeline.add_command(pttl);
        }
        // Before the request, so that the end of a TTL is not computed too late.
        let at = Instant::now();
        let mut is_answered = true;
        for (key, answer) in keys.iter().zip(self.send(&pipeline).await?) {
            let event = event(&answer)?;
            is_answered &= event != WatchEvent::Interrupted;
            watches.publish(key, event, at);
        }
        Ok(is_answered)
    }

    async fn send(&self, pipeline: &Pipeline) -> Result<Vec<Value>> {
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

/// Whether a server that answers rejects tracking, so that trying again soon is no use.
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
/// The server rejects commands for now.
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
        (PushKind::Invalidate, _) => queue.add(watches.keys()),
        _ => {}
    }
}
