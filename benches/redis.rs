//! Sessions opened per second, compared with bare `GET`s on one shared connection in the same run.
//!
//! Concurrent tasks use a `redis-server` that this starts on a free loopback port.

use std::time::{Duration, Instant};

use jwt_redis_session::RedisStore;

use support::Stored;
use test_support::redis_server::RedisServer;

mod support;

const TASKS: usize = 64;
const REPETITIONS: usize = 7;

#[tokio::main]
async fn main() {
    // As with criterion, a run without `--bench` (by `cargo test`) only shows that it works.
    let is_timed = std::env::args().any(|arg| arg == "--bench");
    let span = Duration::from_millis(if is_timed { 700 } else { 20 });
    let redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    // The tasks need both until the end.
    let connection = &*Box::leak(Box::new(store.connection().await.unwrap()));
    let stored = &*Box::leak(Box::new(Stored::create(store, None).await));

    let mut results = Vec::new();
    for _ in 0..REPETITIONS {
        let get = rate(span, move || async move {
            let (mut get, mut connection) = (redis::cmd("GET"), connection.clone());
            let value = get.arg(&stored.key).query_async(&mut connection).await;
            let value: Vec<u8> = value.unwrap();
            assert!(value.len() > 250);
        });
        let get = get.await;
        let open = rate(span, move || async move {
            drop(stored.sessions.open(stored.token.as_str()).await.unwrap());
        });
        results.push((open.await / get, get));
    }
    results.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, get) = results[REPETITIONS / 2];
    let (least, most) = (results[0].0, results[REPETITIONS - 1].0);
    println!("GET            {get:9.0}/s");
    let open = get * ratio;
    println!("Sessions::open {open:9.0}/s   {ratio:.2} of it ({least:.2} to {most:.2})");
}

/// Repeats `work` in [`TASKS`] concurrent tasks and returns how often per second.
async fn rate<F>(span: Duration, work: impl Fn() -> F + Copy + Send + 'static) -> f64
where
    F: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let repeat = move || async move {
        let mut count = 0_u32;
        while start.elapsed() < span {
            work().await;
            count += 1;
        }
        count
    };
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(repeat())).collect();
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}
