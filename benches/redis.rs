//! Sessions opened per second, beside bare `GET`s on one shared connection in the same run.
//!
//! 64 tasks at a time, against a `redis-server` that this starts on a free loopback port.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use jwt_redis_session::RedisStore;

use support::{RECORD, World};
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
    let world = World::with(store, RECORD, None).await;
    let key: Arc<str> = world.key.as_str().into();

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let (shared, key) = (connection.clone(), Arc::clone(&key));
        let get = rate(round, move || {
            let (mut connection, key) = (shared.clone(), Arc::clone(&key));
            async move {
                let mut get = redis::cmd("GET");
                let value: Vec<u8> = get.arg(&*key).query_async(&mut connection).await?;
                assert!(value.len() > 250);
                Ok::<_, redis::RedisError>(())
            }
        });
        let get = get.await;
        let (sessions, token) = (world.sessions.clone(), world.token.clone());
        let open = rate(round, move || {
            let (sessions, token) = (sessions.clone(), token.clone());
            async move { sessions.open(token.as_str()).await.map(drop) }
        });
        rounds.push((open.await / get, get));
    }
    rounds.sort_by(|one, other| one.0.total_cmp(&other.0));
    let (ratio, get) = rounds[ROUNDS / 2];
    let (least, most) = (rounds[0].0, rounds[ROUNDS - 1].0);
    println!("GET            {get:9.0}/s");
    println!(
        "Sessions::open {:9.0}/s   {ratio:.2} of it ({least:.2} to {most:.2})",
        get * ratio
    );
}

/// Runs `work` over and over in [`TASKS`] tasks and returns how often a second.
async fn rate<F, E>(time: Duration, work: impl Fn() -> F + Clone + Send + 'static) -> f64
where
    F: Future<Output = Result<(), E>> + Send,
    E: std::fmt::Debug,
{
    let over = Arc::new(AtomicBool::new(false));
    let start = Instant::now();
    let tasks: Vec<_> = (0..TASKS)
        .map(|_| {
            let (work, over) = (work.clone(), Arc::clone(&over));
            tokio::spawn(async move {
                let mut count = 0_u32;
                while !over.load(Ordering::Relaxed) {
                    work().await.unwrap();
                    count += 1;
                }
                count
            })
        })
        .collect();
    tokio::time::sleep(time).await;
    over.store(true, Ordering::Relaxed);
    let mut count = 0;
    for task in tasks {
        count += task.await.unwrap();
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}
