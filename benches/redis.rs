//! Sessions opened per second, compared with bare `GET`s on one shared connection in the same run.
//!
//! Several concurrent tasks, against a `redis-server` that this starts on a free loopback port.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jwt_redis_session::RedisStore;

use support::{RECORD, Stored};
use test_support::redis_server::RedisServer;

mod support;

const TASKS: usize = 64;
const ROUNDS: usize = 7;

#[tokio::main]
async fn main() {
    // As with criterion, a run without `--bench` (by `cargo test`) only shows that it works.
    let timed = std::env::args().any(|arg| arg == "--bench");
    let round = Duration::from_millis(if timed { 700 } else { 20 });
    let redis = RedisServer::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let connection = store.connection().await.unwrap();
    let stored = Arc::new(Stored::create(store, RECORD, None).await);

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (connection, key) = (connection.clone(), stored.key.clone());
        let get = rate(round, move || {
            let (mut connection, key) = (connection.clone(), key.clone());
            async move {
                let mut get = redis::cmd("GET");
                let value: Vec<u8> = get.arg(key).query_async(&mut connection).await.unwrap();
                assert!(value.len() > 250);
            }
        });
        let get = get.await;
        let stored = Arc::clone(&stored);
        let open = rate(round, move || {
            let stored = Arc::clone(&stored);
            async move { drop(stored.sessions.open(stored.token.as_str()).await.unwrap()) }
        });
        rounds.push((open.await / get, get));
    }
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, get) = rounds[ROUNDS / 2];
    let (least, most) = (rounds[0].0, rounds[ROUNDS - 1].0);
    println!("GET            {get:9.0}/s");
    let open = get * ratio;
    println!("Sessions::open {open:9.0}/s   {ratio:.2} of it ({least:.2} to {most:.2})");
}

/// Runs `work` over and over in [`TASKS`] tasks and returns how often per second.
async fn rate<F>(time: Duration, work: impl Fn() -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = ()> + Send,
{
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let work = work.clone();
            tokio::spawn(async move {
                let mut count = 0_u32;
                while start.elapsed() < time {
                    work().await;
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}
