//! Announcements of changes on one connection.

use std::sync::{Arc, OnceLock};

use redis::aio::{MultiplexedConnection, SendError};
use redis::{PushInfo, PushKind, Value, cmd};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until};

use super::local_cache::{LocalCache, Lookup};
use super::moment::Moment;
use super::proof::Proof;
use crate::store::error::Result;
use crate::store::redis::error;

/// The announcements of changes on one connection, for a cache.
pub(in crate::store::redis) struct Tracking {
    cache: Arc<LocalCache>,
    proof: Arc<Proof>,
    heartbeat: OnceLock<AbortHandle>,
}

impl Tracking {
    /// Creates the state for a connection that is about to be made. `named` is when the newest query
    /// was sent to a sentinel whose answer names its server as the master.
    pub(in crate::store::redis) fn new(
        cache: &Arc<LocalCache>,
        named: Option<Arc<Moment>>,
    ) -> Self {
        Self {
            proof: Arc::new(Proof::new(cache.next_connection(), named)),
            cache: Arc::clone(cache),
            heartbeat: OnceLock::new(),
        }
    }

    /// Returns what handles the pushes of the connection.
    ///
    /// One for each connection: a push does not say which connection has ended.
    pub(in crate::store::redis) fn listener(
        &self,
    ) -> impl Fn(PushInfo) -> Result<(), SendError> + Send + Sync + 'static {
        let (cache, proof) = (Arc::clone(&self.cache), Arc::clone(&self.proof));
        // Runs in the task of the connection, before it handles the answers that follow.
        move |push| {
            match push.kind {
                PushKind::Invalidate => invalidate(&cache, &push.data),
                PushKind::Disconnection => end(&cache, &proof),
                _ => {}
            }
            Ok(())
        }
    }

    /// Makes the server announce changes. One that rejects this is used without a cache.
    pub(in crate::store::redis) async fn start(
        &self,
        mut handle: MultiplexedConnection,
        address: &str,
    ) -> Result<()> {
        let sent = Instant::now();
        // Without NOLOOP: writes of this connection are announced as well, so a write whose caller
        // no longer waits needs no care.
        let on = cmd("CLIENT").arg("TRACKING").arg("ON").take();
        let answer = handle.send_packed_command(&on).await;
        match answer.map_err(|error| error::broken(&error, address))? {
            Value::ServerError(answer) => self.cache.rejected(&error::rejected(&answer)),
            _ => {
                self.proof.set_on(true);
                self.record_answer(sent);
                let heartbeat = heartbeat(Arc::clone(&self.proof), Arc::clone(&self.cache), handle);
                let task = tokio::spawn(heartbeat).abort_handle();
                // Started once for each connection.
                let _ = self.heartbeat.set(task);
            }
        }
        Ok(())
    }

    /// Records that a command was answered that was sent at `sent` or later.
    pub(in crate::store::redis) fn record_answer(&self, sent: Instant) {
        self.proof.answered.record(sent);
    }

    /// Looks for a record, while this is the connection in use.
    pub(in crate::store::redis) fn find(&self, key: &str) -> Lookup {
        self.cache.find(key, &self.proof)
    }

    /// Removes what was read over the connection, which is not used any more.
    pub(in crate::store::redis) fn end(&self) {
        end(&self.cache, &self.proof);
        // It holds the connection open.
        if let Some(heartbeat) = self.heartbeat.get() {
            heartbeat.abort();
        }
    }
}

fn invalidate(cache: &LocalCache, data: &[Value]) {
    let [Value::Array(keys)] = data else {
        // All keys: FLUSHALL, or the former contents of a replica that is the master now.
        return cache.invalidate_all();
    };
    for key in keys {
        match key {
            Value::BulkString(key) => cache.invalidate(key),
            _ => cache.invalidate_all(),
        }
    }
}

fn end(cache: &LocalCache, proof: &Proof) {
    proof.set_on(false);
    cache.remove_connection(proof);
}

/// Sends `PING` whenever no command has been answered for a third of `max_staleness`, until the
/// connection ends.
async fn heartbeat(proof: Arc<Proof>, cache: Arc<LocalCache>, mut handle: MultiplexedConnection) {
    let (ping, interval) = (cmd("PING"), cache.settings.interval());
    loop {
        let sent = Instant::now();
        let due = proof.answered.latest().map(|latest| latest + interval);
        match due.filter(|due| *due > sent) {
            Some(due) => sleep_until(due).await,
            // One at a time: on a connection that is frozen they would pile up.
            None => match handle.send_packed_command(&ping).await {
                Ok(_) => proof.answered.record(sent),
                Err(_) => return,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::store::redis::cache::Cache;
    use crate::store::types::StoredRecord;

    /// Reads `keys` over the connection of `tracking`, and returns how many were hot.
    fn read(tracking: &Tracking, keys: &[&str]) -> usize {
        let mut hot = 0;
        for key in keys {
            match tracking.find(key) {
                Lookup::Hit(_) => hot += 1,
                Lookup::Miss(reading) => {
                    let ttl = Some(Duration::from_secs(9));
                    reading
                        .unwrap()
                        .keep(key, &StoredRecord::new(&b"v"[..], ttl));
                }
            }
        }
        hot
    }

    fn invalidate(keys: Value) -> PushInfo {
        PushInfo {
            kind: PushKind::Invalidate,
            data: vec![keys],
        }
    }

    #[test]
    fn pushes_remove_what_they_name() {
        let cache = LocalCache::new(Cache::new().max_staleness(Duration::from_secs(60)));
        let [one, other] = [(); 2].map(|()| Tracking::new(&cache, None));
        for tracking in [&one, &other] {
            tracking.proof.set_on(true);
            tracking.record_answer(Instant::now());
        }
        let push = one.listener();
        let names = |keys: &[&str]| {
            let keys = keys.iter().map(|key| Value::BulkString((*key).into()));
            Value::Array(keys.collect())
        };
        let disconnection = PushInfo {
            kind: PushKind::Disconnection,
            data: Vec::new(),
        };
        for (event, left) in [
            (invalidate(names(&["b"])), 2),
            (invalidate(names(&["a", "unknown", "c"])), 1),
            (invalidate(Value::Nil), 0),
            (invalidate(Value::Array(vec![Value::Int(1)])), 0),
            (disconnection, 0),
        ] {
            read(&one, &["a", "b", "c"]);
            assert_eq!(read(&one, &["a", "b", "c"]), 3);
            push(event).unwrap();
            assert_eq!(read(&one, &["a", "b", "c"]), left);
        }
        assert_eq!(read(&one, &["a"]), 0, "it has ended");
        read(&other, &["a"]);
        one.end();
        assert_eq!(read(&other, &["a"]), 1, "another connection goes on");
        other.end();
        assert_eq!(cache.stats().entries, 0);
    }
}
