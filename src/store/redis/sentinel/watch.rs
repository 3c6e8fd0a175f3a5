//! Announcements of a new master.
//!
//! A master that was replaced by order stays up for some ten seconds, takes writes that will be
//! lost, and answers every read and `PING`. Only the sentinels report the change.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis::{AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, Value};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::confirmations::Confirmations;
use super::query::{Address, master_address};
use crate::store::error::Result;
use crate::store::redis::endpoint::Endpoint;
use crate::store::redis::error;

const CHANNEL: &str = "+switch-master";
/// The time between two queries that show whether a sentinel still answers, and the pause before
/// a new connection.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// Receives what a task learns from its sentinel.
pub(super) struct Observer {
    pub(super) service: Arc<str>,
    /// Counts announced masters of the service.
    pub(super) generation: Arc<AtomicU64>,
    pub(super) confirmations: Arc<Confirmations>,
}

/// Starts one task for each sentinel, which queries it every `interval`.
pub(super) fn start(
    sentinels: &[Arc<Endpoint>],
    interval: Duration,
    observer: impl Fn() -> Observer,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for sentinel in sentinels {
        let sentinel = sentinel.with_protocol(ProtocolVersion::RESP3);
        let observer = observer();
        tasks.spawn(async move {
            let mut known = None;
            loop {
                // A sentinel that is away, or rejects the query, is not needed: others announce the
                // same, and a connection that breaks is renewed without an announcement.
                let _ = listen(&sentinel, interval, &observer, &mut known).await;
                sleep(INTERVAL).await;
            }
        });
    }
    tasks
}

/// Listens until the sentinel no longer answers.
async fn listen(
    sentinel: &Endpoint,
    interval: Duration,
    observer: &Observer,
    known: &mut Option<Address>,
) -> Result<()> {
    let config = {
        let service = Arc::clone(&observer.service);
        let generation = Arc::clone(&observer.generation);
        AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
            // Every announcement counts, not only the first of a failover: a connection that was
            // made between two of them may lead to the former master, which other sentinels still
            // named.
            if announces(&push, &service) {
                generation.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<_, redis::aio::SendError>(())
        })
    };
    let Ok(opened) = timeout(INTERVAL, sentinel.open_with(config)).await else {
        return Ok(());
    };
    let (connection, _) = opened?;
    let mut handle = connection.handle();
    let subscribed = timeout(INTERVAL, handle.subscribe(CHANNEL)).await;
    if let Ok(Err(error)) = subscribed {
        return Err(error::broken(&error, sentinel.address()));
    }
    loop {
        let asked = Instant::now();
        let question = master_address(&mut handle, sentinel.address(), &observer.service);
        let Ok(address) = timeout(INTERVAL, question).await else {
            return Ok(());
        };
        let address = address?;
        // An announcement may have been missed while there was no connection.
        if known
            .replace(address.clone())
            .is_some_and(|known| known != address)
        {
            observer.generation.fetch_add(1, Ordering::Relaxed);
        }
        observer.confirmations.record(&address, asked);
        sleep(interval).await;
    }
}

/// Whether `push` is `message +switch-master "service host port host port"`.
fn announces(push: &PushInfo, service: &str) -> bool {
    let Some(Value::BulkString(text)) = push.data.last() else {
        return false;
    };
    push.kind == PushKind::Message
        && text
            .strip_prefix(service.as_bytes())
            .is_some_and(|rest| rest.starts_with(b" "))
}
