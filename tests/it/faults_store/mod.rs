//! What the store does when Redis, or the way to it, fails.
//!
//! The numbers are those of the fault scenarios in SECURITY.md. Bounds are generous: they
//! distinguish "bounded" from "hanging", on a busy machine too.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
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
mod large_values;
mod logs;
mod network;
mod refusals;

/// The store's deadline of one second, and what a busy machine may add.
const BOUND: Duration = Duration::from_millis(1800);

/// How soon service must be back.
const BACK: Duration = Duration::from_secs(2);

const TTL: Duration = Duration::from_secs(60);

/// Part of every value and credential, and of no error.
const MARKER: &str = "hush-hush";

async fn timed<T>(call: impl Future<Output = T>) -> T {
    let start = Instant::now();
    let result = call.await;
    let took = start.elapsed();
    assert!(took < BOUND, "took {took:?}");
    result
}

async fn read(store: &RedisStore) -> Result<Option<StoredRecord>, StoreError> {
    tell_nothing(timed(store.load("k")).await)
}

async fn write(store: &RedisStore) -> Result<bool, StoreError> {
    let record = NewRecord::new("k", MARKER.as_bytes(), TTL);
    tell_nothing(timed(store.insert(record)).await)
}

async fn delete(store: &RedisStore) -> Result<bool, StoreError> {
    tell_nothing(timed(store.delete("k")).await)
}

/// R45: no error contains stored data or credentials.
fn tell_nothing<T>(result: Result<T, StoreError>) -> Result<T, StoreError> {
    if let Err(error) = &result {
        let text = format!("{error} {error:?}");
        assert!(!text.contains(MARKER), "{text}");
    }
    result
}

fn kind<T>(result: Result<T, StoreError>) -> Option<StoreErrorKind> {
    result.err().map(|error| error.kind())
}

/// Waits for service and returns how long it took.
async fn back(store: &RedisStore, what: &str) -> Duration {
    let start = Instant::now();
    eventually(what, || async { read(store).await.ok() }).await;
    let took = start.elapsed();
    eprintln!("{what}: back after {took:?}");
    assert!(took < BACK, "{what}: back only after {took:?}");
    took
}

async fn connected(url: &str) -> RedisStore {
    RedisStore::connect(url).await.expect("connect")
}
