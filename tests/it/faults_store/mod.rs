//! The Redis store when Redis or the network fails.
//!
//! Bounds are generous: they distinguish "bounded" from "hanging", on a busy machine too.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use jwt_redis_session::store::{
    CompareOutcome, EntryState, NewEntry, NewRecord, PutMode, Store, StoreError, StoreErrorKind,
    StoredRecord,
};
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

mod cancellation;
mod dead_connections;
mod garbled_answers;
mod large_values;
mod logs;
mod outages;
mod rejections;

/// The store's deadline of one second, and what a busy machine may add.
const BOUND: Duration = Duration::from_millis(1800);

/// How soon service must be back.
const BACK: Duration = Duration::from_secs(2);

const TTL: Duration = Duration::from_secs(60);

/// Part of every value and credential, and of no error.
const MARKER: &str = "hush-hush";

const KILL_CLIENTS: [&str; 6] = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"];

/// Starts a server, a proxy to it and a store that connects through the proxy on first use.
async fn lazy_behind_proxy() -> (RedisServer, Proxy, RedisStore) {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let store = RedisStore::lazy(&proxy.url()).expect("a good url");
    (server, proxy, store)
}

/// As [`lazy_behind_proxy`], with a store that is connected.
async fn behind_proxy() -> (RedisServer, Proxy, RedisStore) {
    let (server, proxy, _) = lazy_behind_proxy().await;
    let store = connected(&proxy.url()).await;
    (server, proxy, store)
}

#[cfg(feature = "pool")]
pub(crate) fn pool(server: &RedisServer) -> deadpool_redis::Pool {
    deadpool_redis::Config::from_url(server.url())
        .create_pool(Some(deadpool_redis::Runtime::Tokio1))
        .expect("a pool")
}

async fn connected(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("connect")
}

/// Returns what a call answers. It must end in time, and its error must contain no secret.
async fn timed<T>(call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
    let start = Instant::now();
    let result = call.await;
    let took = start.elapsed();
    assert!(took < BOUND, "took {took:?}");
    if let Err(error) = &result {
        let text = format!("{error} {error:?}");
        assert!(!text.contains(MARKER), "{text}");
    }
    result
}

async fn read(store: &RedisStore) -> Result<Option<StoredRecord>, StoreError> {
    timed(store.load("k")).await
}

async fn write(store: &RedisStore) -> Result<bool, StoreError> {
    timed(store.insert(NewRecord::new("k", MARKER.as_bytes(), TTL))).await
}

async fn delete(store: &RedisStore) -> Result<bool, StoreError> {
    timed(store.delete("k")).await
}

fn kind<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
    result.err().map(|error| error.kind())
}

/// Returns the reply to a command that reports as text.
fn text(server: &RedisServer, words: &[&str]) -> String {
    redis::from_redis_value(server.run(words)).expect("a text")
}

/// Waits for service, which must be back soon.
async fn back(store: &RedisStore, what: &str) {
    let start = Instant::now();
    eventually(what, || async { read(store).await.ok() }).await;
    let took = start.elapsed();
    assert!(took < BACK, "{what}: back only after {took:?}");
}
