//! Hot reads, which send no command: `cargo bench --bench cache`.
//!
//! A read of the store beside one of a `MemoryStore`, the share of hot reads in a mix, for how
//! long a frozen connection is trusted, and server CPU of a request beside a bare route. Starts
//! its own `redis-server`. Fails above the number of allocations.

use std::hint::black_box;
use std::time::{Duration, Instant};

use allocation_counter::measure;
use jwt_redis_session::store::{Cache, NewRecord, Store};
use jwt_redis_session::{MemoryStore, RedisConfig, RedisStore};
use test_support::proxy::Proxy;
use test_support::redis_server::RedisServer;
use tokio::runtime::{Builder, Runtime};

use support::RECORD;

mod http;
#[path = "../support/mod.rs"]
mod support;

const TTL: Duration = Duration::from_secs(600);
const KEY: &str = "sess:0123456789abcdefghijkl";

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_timed = std::env::args().any(|arg| arg == "--bench");
    let share = if is_timed { 1 } else { 100 };
    // The task of the connection needs another thread while this one reads.
    let mut runtime = Builder::new_multi_thread();
    let runtime = runtime.worker_threads(1).enable_all().build().unwrap();
    let redis = RedisServer::start();
    reads(&runtime, &redis, 200_000 / share);
    mix(&runtime, &redis, 200_000 / share);
    frozen(&runtime, &redis, if is_timed { 12 } else { 1 });
    http::compare(&redis, 360_000 / share);
}

async fn connect(url: &str, cache: Cache) -> RedisStore {
    RedisConfig::new(url).cache(cache).connect().await.unwrap()
}

const fn record(key: &str) -> NewRecord<'_> {
    NewRecord::new(key, RECORD.as_bytes(), TTL)
}

fn reads(runtime: &Runtime, redis: &RedisServer, times: u32) {
    let memory = MemoryStore::new();
    let cached = runtime.block_on(connect(&redis.url(), Cache::new()));
    let plain = runtime.block_on(RedisStore::connect(&redis.url())).unwrap();
    runtime.block_on(async {
        assert!(memory.insert(record(KEY)).await.unwrap());
        assert!(cached.insert(record(KEY)).await.unwrap());
        for _ in 0..3 {
            read(&cached).await;
        }
    });
    println!("one read of {} bytes: ns, allocations", RECORD.len());
    let stores: [(&str, &dyn Store, u32); 3] = [
        ("MemoryStore", &memory, times),
        ("RedisStore, hot", &cached, times),
        ("RedisStore without a cache", &plain, times / 100),
    ];
    let mut rows = Vec::new();
    for (name, store, times) in stores {
        let ns = (0..7).map(|_| nanoseconds(runtime, store, times)).min();
        let counted = measure(|| runtime.block_on(read(store))).count_total;
        // Entering the runtime allocates nothing, and the command of a miss is sent elsewhere.
        println!("{:8} {counted:4}  {name}", ns.unwrap());
        rows.push((ns.unwrap(), counted));
    }
    let (ns, allocations) = (rows[1].0.saturating_sub(rows[0].0), rows[1].1 - rows[0].1);
    println!("{ns:8} {allocations:4}  more when hot than in memory (at most 300, 2)");
    println!("{:?}\n", cached.cache_stats().unwrap());
    assert!(allocations <= 2, "more allocations than the limit");
}

async fn read(store: &dyn Store) {
    assert!(black_box(store.load(KEY).await).unwrap().is_some());
}

fn nanoseconds(runtime: &Runtime, store: &dyn Store, times: u32) -> u128 {
    runtime.block_on(async {
        let start = Instant::now();
        for _ in 0..times {
            read(store).await;
        }
        start.elapsed().as_nanos() / u128::from(times)
    })
}

/// One process reads 2,000 sessions, of which few are read often, and another one writes to 1 of
/// 100 of those.
fn mix(runtime: &Runtime, redis: &RedisServer, times: u32) {
    runtime.block_on(async {
        let cached = connect(&redis.url(), Cache::new()).await;
        let other = RedisStore::connect(&redis.url()).await.unwrap();
        let keys: Vec<_> = (0..2_000).map(|number| format!("mix:{number}")).collect();
        for key in &keys {
            assert!(other.insert(record(key)).await.unwrap());
        }
        let start = Instant::now();
        for time in 0..times {
            // The third power prefers low numbers.
            let share = rand::random::<f64>().powi(3);
            let key = &keys[(share * keys.len() as f64) as usize];
            if time % 100 == 0 {
                assert!(other.set_ttl(key, TTL).await.unwrap());
            } else {
                assert!(cached.load(key).await.unwrap().is_some());
            }
        }
        let stats = cached.cache_stats().unwrap();
        let reads = stats.hits + stats.misses + stats.bypasses;
        let share = 100.0 * stats.hits as f64 / reads as f64;
        let each = start.elapsed().as_nanos() / u128::from(times);
        println!("mix of 2,000 sessions, 1 % writes: {share:.1} % hot, {each} ns each");
        println!("{stats:?}\n");
    });
}

/// A record is deleted while the connection of the cache is frozen.
fn frozen(runtime: &Runtime, redis: &RedisServer, times: u32) {
    for bound in [50, 100, 250].map(Duration::from_millis) {
        let mut worst = Duration::ZERO;
        for _ in 0..times {
            worst = worst.max(runtime.block_on(served_after_deletion(redis, bound)));
        }
        println!("frozen connection, max_staleness {bound:?}: at most {worst:.1?} stale");
        assert!(worst < bound, "the promise is broken");
    }
    println!();
}

async fn served_after_deletion(redis: &RedisServer, bound: Duration) -> Duration {
    let proxy = Proxy::to(redis.address()).await;
    let cached = connect(&proxy.url(), Cache::new().max_staleness(bound)).await;
    assert!(cached.insert(record("frozen")).await.unwrap());
    let reader = tokio::spawn(async move {
        let mut last = Instant::now();
        loop {
            let start = Instant::now();
            match cached.load("frozen").await {
                Ok(Some(_)) => last = start,
                Ok(None) => return last,
                Err(_) => {}
            }
            tokio::task::yield_now().await;
        }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    proxy.freeze_open();
    redis.run(&["DEL", "frozen"]);
    let acknowledged = Instant::now();
    let last = reader.await.unwrap();
    last.saturating_duration_since(acknowledged)
}
