//! Announcements of a new master.
//!
//! A master that was replaced by order stays up for some ten seconds, takes writes that will be
//! lost, and answers every read and `PING`. Only the sentinels report the change.

use std::sync::Arc;
use std::time::Duration;

use redis::{AsyncConnectionConfig, ProtocolVersion, PushInfo, PushKind, Value};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::query::{Address, master_address};
use super::votes::Votes;
use crate::store::error::Result;
use crate::store::redis::endpoint::Endpoint;
use crate::store::redis::error;

const CHANNEL: &str = "+switch-master";
/// The time between two queries that show whether a sentinel still answers, and the pause before
/// a new connection.
pub(super) const INTERVAL: Duration = Duration::from_secs(1);

/// Starts one task for each sentinel, which queries it every `interval` and after every
/// announcement of a new master of `service`.
pub(super) fn start(
    sentinels: &[Arc<Endpoint>],
    interval: Duration,
    service: &Arc<str>,
    votes: &Arc<Votes>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    for (index, sentinel) in sentinels.iter().enumerate() {
        let sentinel = sentinel.with_protocol(ProtocolVersion::RESP3);
        let (service, votes) = (Arc::clone(service), Arc::clone(votes));
        tasks.spawn(async move {
            loop {
                let record = |address: Address, sent_at| votes.record(index, &address, sent_at);
                // A sentinel that is away, or rejects the query, is needed only for a majority.
                let _ = listen(&sentinel, interval, &service, record).await;
                votes.withdraw(index);
                sleep(INTERVAL).await;
            }
        });
    }
    tasks
}

/// Calls `record` with the master and the time of each query, until the sentinel no longer answers.
async fn listen(
    sentinel: &Endpoint,
    interval: Duration,
    service: &Arc<str>,
    record: impl Fn(Address, Instant),
) -> Result<()> {
    let announced = Arc::new(Notify::new());
    let config = {
        let (announced, service) = (Arc::clone(&announced), Arc::clone(service));
        AsyncConnectionConfig::new().set_push_sender(move |push: PushInfo| {
            if announces(&push, &service) {
                announced.notify_one();
            }
            Ok::<_, redis::aio::SendError>(())
        })
    };
    let Ok(opened) = timeout(INTERVAL, sentinel.open_with(config)).await else {
        return Ok(());
    };
    let (connection, _) = opened?;
    let mut handle = connection.handle();
    // A sentinel that does not answer this does not answer the query.
    let subscribed = timeout(INTERVAL, handle.subscribe(CHANNEL)).await;
    if let Ok(Err(error)) = subscribed {
        return Err(error::broken(&error, sentinel.address()));
    }
    loop {
        let sent_at = Instant::now();
        let question = master_address(&mut handle, sentinel.address(), service);
        let Ok(address) = timeout(INTERVAL, question).await else {
            return Ok(());
        };
        record(address?, sent_at);
        // The next query also shows a change whose announcement was missed.
        let _ = timeout(interval, announced.notified()).await;
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
