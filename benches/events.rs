//! How soon the end of a session is known, and what waiting for it costs:
//! `cargo bench --bench events`.
//!
//! Starts a Redis server. Ten thousand tasks wait for the ends of their sessions, and another
//! store destroys a thousand of them.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use jwt_redis_session::{Keyring, RedisStore, SessionEnd, SessionId, Sessions};
use test_support::eventually;
use test_support::redis_server::RedisServer;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

const WAITS: usize = 10_000;
const DESTROYED: usize = 1_000;
const WRITERS: usize = 16;
const IDLE: Duration = Duration::from_secs(3);

fn main() {
    // `cargo test --benches` only checks that it runs.
    let is_test = !std::env::args().any(|arg| arg == "--bench");
    let share = if is_test { 100 } else { 1 };
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(WAITS / share, DESTROYED / share));
}

async fn connect(redis: &RedisServer) -> Sessions {
    let store = RedisStore::connect(&redis.url()).await.unwrap();
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    Sessions::builder(store, keyring).build().unwrap()
}

async fn run(waits: usize, destroyed: usize) {
    let redis = RedisServer::start();
    let (sessions, other) = (connect(&redis).await, connect(&redis).await);
    let (ended, mut ends) = mpsc::unbounded_channel();
    let ids = create(&sessions, waits + waits / 10).await;
    let (ids, first) = ids.split_at(waits);
    // Some before, so that the memory for requests and answers is not counted.
    let mut waiting = wait(&sessions, first, &ended).await;
    tracked(&redis, first.len()).await;

    let (before, start) = (resident(), Instant::now());
    waiting.extend(wait(&sessions, ids, &ended).await);
    tracked(&redis, waiting.len()).await;
    let took = start.elapsed();
    let bytes = resident().saturating_sub(before) / waits;
    println!("{waits} waits: loaded and watched after {took:?}, {bytes} bytes each (resident)");

    let commands = || number(&redis, "stats", "total_commands_processed:");
    let idle = commands();
    sleep(IDLE).await;
    println!(
        "{} commands in {IDLE:?} without a change",
        commands() - idle - 1
    );

    report(&destroy(&other, &ids[..destroyed]).await, &mut ends).await;
    sleep(Duration::from_millis(100)).await;
    let ended = waiting.iter().filter(|task| task.is_finished()).count();
    assert_eq!(ended, destroyed, "no other session has ended");
}

/// Prints how long after each acknowledgement the end was known.
async fn report(
    acknowledged: &[Instant],
    ends: &mut mpsc::UnboundedReceiver<(usize, SessionEnd, Instant)>,
) {
    let (count, mut delays) = (acknowledged.len(), Vec::new());
    let mut all_known = acknowledged[0];
    while delays.len() < count {
        let end = timeout(Duration::from_secs(10), ends.recv()).await;
        let (index, reason, known) = end.expect("every end is noticed").unwrap();
        assert_eq!(reason, SessionEnd::Destroyed);
        delays.push(known.saturating_duration_since(acknowledged[index]));
        all_known = all_known.max(known);
    }
    let last = acknowledged.iter().max().unwrap();
    delays.sort_unstable();
    println!(
        "{count} destroyed: all known {:?} after the last acknowledgement; after each one: median \
         {:?}, p99 {:?}, longest {:?}",
        all_known.saturating_duration_since(*last),
        delays[count / 2],
        delays[count * 99 / 100],
        delays[count - 1],
    );
}

type Ends = mpsc::UnboundedSender<(usize, SessionEnd, Instant)>;

/// Starts a task for each session that waits for its end.
async fn wait(sessions: &Sessions, ids: &[SessionId], ended: &Ends) -> Vec<JoinHandle<()>> {
    let mut waiting = Vec::new();
    for (index, id) in ids.iter().enumerate() {
        let session = sessions.get_without_touch(id).await.unwrap();
        let (ended, wait) = (ended.clone(), session.ended());
        waiting.push(tokio::spawn(async move {
            let _ = ended.send((index, wait.await, Instant::now()));
        }));
    }
    waiting
}

async fn create(sessions: &Sessions, count: usize) -> Vec<SessionId> {
    let mut ids = Vec::new();
    for _ in 0..count / 100 {
        let created = join_all((0..100).map(|_| async {
            let session = sessions.new_session();
            session.insert("name", "x".repeat(200)).unwrap();
            session.create().await.unwrap();
            session.id().unwrap()
        }));
        ids.extend(created.await);
    }
    ids
}

/// Destroys sessions by several writers, and returns when each was acknowledged.
async fn destroy(sessions: &Sessions, ids: &[SessionId]) -> Vec<Instant> {
    let share = ids.len().div_ceil(WRITERS);
    let writers = ids.chunks(share).map(|ids| async move {
        let mut acknowledged = Vec::new();
        for id in ids {
            assert!(sessions.destroy(id).await.unwrap());
            acknowledged.push(Instant::now());
        }
        acknowledged
    });
    join_all(writers).await.concat()
}

async fn tracked(redis: &RedisServer, keys: usize) {
    eventually("every key is tracked", async || {
        (number(redis, "stats", "tracking_total_keys:") == keys).then_some(())
    })
    .await;
}

/// Returns a number of `INFO`.
fn number(redis: &RedisServer, section: &str, name: &str) -> usize {
    let redis::Value::BulkString(text) = redis.run(&["INFO", section]) else {
        panic!("no text");
    };
    let text = String::from_utf8(text).unwrap();
    let number = text.lines().find_map(|line| line.strip_prefix(name));
    number.expect("the field").trim().parse().unwrap()
}

/// Returns the resident memory of this process in bytes.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.expect("the field").trim().trim_end_matches(" kB");
    kilobytes.parse::<usize>().unwrap() * 1024
}
