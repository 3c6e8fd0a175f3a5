//! The local cache of the Redis store. "Hot" is a record that is served from it.

use std::time::Instant;

use jwt_redis_session::store::{Cache, CacheStats};
use tokio::task::{JoinHandle, yield_now};

use super::*;
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

mod bound;
mod changes;
mod limits;
#[cfg(feature = "sentinel")]
mod masters;
mod serving;

/// How long a record may be served after it has changed. Long enough for a busy machine.
const BOUND: Duration = Duration::from_millis(250);

fn bounded() -> Cache {
    Cache::new().max_staleness(BOUND)
}

async fn with_cache(url: &str, cache: Cache) -> RedisStore {
    let connecting = RedisConfig::new(url).cache(cache).connect();
    connecting.await.expect("connect")
}

/// Returns a configuration for many calls of which none may fail, on a busy machine too.
fn patient(url: &str) -> RedisConfig {
    let wait = Duration::from_secs(20);
    RedisConfig::new(url).deadline(wait).response_timeout(wait)
}

/// Starts a server, a store with a cache, and one without.
async fn both() -> (RedisServer, RedisStore, RedisStore) {
    let server = RedisServer::start();
    let cached = with_cache(&server.url(), bounded()).await;
    let plain = RedisStore::connect(&server.url()).await.expect("connect");
    (server, cached, plain)
}

fn stats(store: &RedisStore) -> CacheStats {
    store.cache_stats().expect("a cache")
}

/// Reads `key` until it is hot.
async fn heat(store: &RedisStore, key: &str) {
    eventually("a hot record", async || {
        let before = stats(store).hits;
        load(store, key).await.expect("the record exists");
        (stats(store).hits > before).then_some(())
    })
    .await;
}

async fn insert_hot(store: &RedisStore, key: &str) {
    assert_eq!(store.insert(record(key, b"v")).await, Ok(true));
    heat(store, key).await;
}

/// Reads `key` again and again until it is gone. Returns when the last read began that found it.
fn read_until_gone(store: &RedisStore, key: &str) -> JoinHandle<Instant> {
    let (store, key) = (store.clone(), key.to_owned());
    tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            let start = Instant::now();
            match store.load(&key).await {
                Ok(Some(_)) => last = start,
                Ok(None) => return last,
                Err(_) => tokio::time::sleep(Duration::from_millis(1)).await,
            }
            // A hot read does not wait, and would keep a thread for itself.
            yield_now().await;
        }
    })
}

/// Returns for how long after `acknowledged` the record was served.
async fn staleness(reader: JoinHandle<Instant>, acknowledged: Instant) -> Duration {
    let last = tokio::time::timeout(Duration::from_secs(20), reader).await;
    let last = last.expect("served for ever").expect("no panic");
    last.saturating_duration_since(acknowledged)
}

/// Returns how often the server has run `command`.
fn calls(server: &RedisServer, command: &str) -> u64 {
    let info = server.run(&["INFO", "commandstats"]);
    let info: String = redis::from_redis_value(info).expect("text");
    let prefix = format!("cmdstat_{command}:calls=");
    let line = info.lines().find_map(|line| line.strip_prefix(&*prefix));
    line.and_then(|line| line.split(',').next()?.parse().ok())
        .unwrap_or(0)
}
