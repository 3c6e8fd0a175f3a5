//! Waiting for the end of sessions.

use std::time::{Duration, Instant};

use jwt_redis_session::session::{Ended, SessionEnds};
use jwt_redis_session::store::SharedStore;
use jwt_redis_session::{
    Keyring, Lifetime, MemoryStore, RedisStore, Session, SessionEnd, Sessions, Token,
};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use crate::support::redis_server::RedisServer;
use crate::support::{alive_tasks, eventually};

mod ends;
mod grace;
mod lifetimes;
mod outages;
#[cfg(feature = "axum")]
mod sockets;
#[cfg(feature = "cluster")]
mod topologies;
mod watches;

/// The time in which an end is noticed. The interval of reads is much longer, so that they do not
/// notice it.
const AT_ONCE: Duration = Duration::from_secs(1);

const KILL_CLIENTS: [&str; 5] = ["CLIENT", "KILL", "TYPE", "normal", "SKIPME"];

fn sessions(store: impl Into<SharedStore>) -> Sessions {
    lasting(store, Duration::from_secs(600))
}

fn lasting(store: impl Into<SharedStore>, idle: Duration) -> Sessions {
    let keyring = Keyring::hs256("0123456789abcdef0123456789abcdef").unwrap();
    let builder = Sessions::builder(store, keyring);
    builder.lifetime(Lifetime::Idle(idle)).build().unwrap()
}

async fn connected(server: &RedisServer) -> RedisStore {
    RedisStore::connect(&server.url()).await.expect("connect")
}

/// Creates a session of `jo`.
async fn created(sessions: &Sessions) -> (Session, Token) {
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    let token = session.create().await.expect("created");
    (session, token)
}

/// Starts to wait for an end that the interval of reads does not notice in time.
fn wait_for(session: &Session) -> JoinHandle<SessionEnd> {
    start(session.ended().check_every(Duration::from_secs(600)))
}

fn start(ended: Ended) -> JoinHandle<SessionEnd> {
    tokio::spawn(ended)
}

/// Returns the end, which must come within [`AT_ONCE`].
async fn at_once(waiting: JoinHandle<SessionEnd>) -> SessionEnd {
    let ended = timeout(AT_ONCE, waiting).await;
    ended.expect("it is noticed immediately").expect("no panic")
}

/// Returns a number of `INFO`, or 0 if the server does not answer: it breaks all connections when
/// it becomes a master.
fn info(server: &RedisServer, section: &str, name: &str) -> u64 {
    let Ok(redis::Value::BulkString(text)) = server.command(&["INFO", section]) else {
        return 0;
    };
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.and_then(|line| {
        line.split([':', '=', ','])
            .find_map(|part| part.parse().ok())
    });
    number.unwrap_or(0)
}

/// Waits until the server tracks `keys` keys.
async fn tracked(server: &RedisServer, keys: u64) {
    let start = Instant::now();
    loop {
        let found = info(server, "stats", "tracking_total_keys:");
        if found == keys {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(10), "{found} keys");
        sleep(Duration::from_millis(2)).await;
    }
}
