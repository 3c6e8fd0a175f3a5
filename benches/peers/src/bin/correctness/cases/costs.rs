//! What a login, a logout and a new id cost in Redis. For comparison: nothing here is a fault.

use peers::commands;
use test_support::redis_monitor::Monitor;
use test_support::unique;

use crate::client::{Credential, Reply};
use crate::finding::Finding;
use crate::harness::Harness;
use crate::records::texts;

const SESSIONS: usize = 50;

pub(super) async fn run(harness: &Harness) -> Vec<Finding> {
    let site = &harness.a.site;
    harness.redis.run(&["FLUSHALL"]);
    let monitor = Monitor::start(harness.redis.address());
    let mut sessions = Vec::new();
    for _ in 0..SESSIONS {
        sessions.push(site.login(&unique("user")).await);
    }
    let login = commands(monitor.stop(), SESSIONS);
    let bytes = bytes(harness) / SESSIONS as u64;
    vec![
        Finding::note("commands to Redis for a login", login),
        Finding::note(
            "bytes in Redis for a session after a login",
            bytes.to_string(),
        ),
        each(harness, "a new id", "/rotate", &mut sessions).await,
        each(harness, "a logout", "/logout", &mut sessions).await,
    ]
}

async fn each(harness: &Harness, name: &str, path: &str, sessions: &mut [Credential]) -> Finding {
    let monitor = Monitor::start(harness.redis.address());
    let row = format!("commands to Redis for {name}");
    for session in &mut *sessions {
        let answer = harness.a.site.post(path, session).await;
        if answer.reply == Reply::Status(404) {
            return Finding::no_such_operation(row);
        }
        *session = answer.credential();
    }
    Finding::note(row, commands(monitor.stop(), SESSIONS))
}

/// Returns the memory of all keys.
fn bytes(harness: &Harness) -> u64 {
    let keys = texts(harness.redis.run(&["KEYS", "*"]));
    let size = |key: &String| {
        let size = harness.redis.run(&["MEMORY", "USAGE", key]);
        redis::from_redis_value::<u64>(size).expect("a number")
    };
    keys.iter().map(size).sum()
}
