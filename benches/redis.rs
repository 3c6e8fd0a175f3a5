//! How many sessions are opened in a second beside bare `GET`s on one shared connection, in one
//! run: 64 tasks at a time, against a `redis-server` that this starts on a free loopback port.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use jwt_redis_session::RedisStore;
use jwt_redis_session::store::{NewRecord, Store};

use support::{KEY, MAX_AGE, RECORD, World};

mod support;

const TASKS: usize = 64;
const ROUNDS: usize = 7;

#[tokio::main]
async fn main() {
    // As criterion does: without `--bench` (in `cargo test`) it is only seen to work.
    let timed = std::env::args().any(|arg| arg == "--bench");
    let round = Duration::from_millis(if timed { 700 } else { 20 });
    let redis = Redis::start();
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let record = NewRecord::new(KEY, RECORD.as_bytes(), MAX_AGE);
    assert!(store.insert(record).await.unwrap());
    let connection = store.connection().await.unwrap();
    let world = World::with(store);

    let mut rounds = Vec::new();
    for _ in 0..ROUNDS {
        let shared = connection.clone();
        let get = rate(round, move || {
            let mut connection = shared.clone();
            async move {
                let mut get = redis::cmd("GET");
                let value: Vec<u8> = get.arg(KEY).query_async(&mut connection).await?;
                assert_eq!(value.len(), RECORD.len());
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

struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start() -> Self {
        let free = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let child = Command::new("redis-server")
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--dir",
                "/tmp",
                "--port",
            ])
            .arg(port.to_string())
            .stdout(Stdio::null())
            .spawn()
            .expect("redis-server is installed");
        let server = Self { child, port };
        for _ in 0..200 {
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return server;
            }
            sleep(Duration::from_millis(10));
        }
        panic!("redis-server does not start");
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
