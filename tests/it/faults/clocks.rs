//! Times to live in Redis, and clocks that jump.

use std::time::Duration;

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::{Lifetime, RedisStore, Session, SessionError, Sessions};

use super::{builder, created, id, open};
use crate::support::redis_server::RedisServer;

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

async fn clocked(server: &RedisServer, lifetime: Lifetime) -> (Sessions, ManualClock) {
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let clock = ManualClock::at(NOW);
    let builder = builder(store).clock(clock.clone()).lifetime(lifetime);
    (builder.build().expect("a good configuration"), clock)
}

const fn hours(hours: u64) -> Duration {
    Duration::from_secs(hours * 3600)
}

const IDLE: Lifetime = Lifetime::Idle(hours(24));
const BOTH: Lifetime = Lifetime::Both {
    idle: hours(24),
    absolute: hours(2),
};

/// Checks the remaining seconds of the record. The index of `jo` lives at least as long.
#[track_caller]
fn assert_left(server: &RedisServer, session: &Session, seconds: i64) {
    let record = format!("sess:{}", id(session));
    let [record, index] = [&record, "sess:owner:am8:"].map(|key| {
        let ttl = server.run(&["TTL", key]);
        redis::from_redis_value::<i64>(ttl).expect("a number")
    });
    assert!((seconds - 60..=seconds).contains(&record), "{record}");
    assert!(index >= record, "{index} < {record}");
}

#[tokio::test]
async fn idle_lifetime_does_not_depend_on_the_clock() {
    let server = RedisServer::start();
    let (sessions, clock) = clocked(&server, IDLE).await;
    for jump in [0, HOUR, -HOUR, 10 * DAY, -10 * DAY, -NOW, -NOW - HOUR] {
        clock.set(NOW);
        let (session, token) = created(&sessions, "jo").await;
        clock.set(NOW + jump);
        for _ in 0..2 {
            assert_left(&server, &session, DAY);
            let session = open(&sessions, &token).await.expect("it exists");
            session.insert("jump", jump).expect("a number");
            session.update().await.expect("it exists");
            session.touch().await.expect("it exists");
        }
        let listed = sessions.list("jo").await.expect("redis answers");
        assert_eq!(listed.len(), 1, "{jump}");
        session.touch_for(hours(72)).await.expect("it exists");
        assert_left(&server, &session, 3 * DAY);
        match session.rotate().await {
            Ok(_) => assert!(NOW + jump >= 0),
            // A token cannot be issued before 1970; the session remains.
            Err(SessionError::Token(_)) => assert!(NOW + jump < 0),
            Err(error) => panic!("{jump}: {error}"),
        }
        assert_eq!(sessions.destroy_all("jo").await, Ok(1), "{jump}");
    }
}

#[tokio::test]
async fn no_time_makes_anything_panic() {
    let server = RedisServer::start();
    for lifetime in [IDLE, BOTH] {
        let (sessions, clock) = clocked(&server, lifetime).await;
        let (_, kept) = created(&sessions, "al").await;
        for now in [0, -1, -HOUR, -NOW, i64::MIN, i64::MAX, 1 << 40, 1 << 60] {
            clock.set(now);
            let session = sessions.new_session();
            session.set_owner("jo").expect("a valid owner");
            // A token that cannot say this time is an error.
            if let Ok(token) = session.create().await {
                open(&sessions, &token).await.expect("a new session works");
                session.update().await.expect("it exists");
                session.rotate().await.expect("it exists");
            }
            let _ = open(&sessions, &kept).await.err();
            sessions.list("jo").await.expect("redis answers");
            sessions.destroy_all("jo").await.expect("redis answers");
        }
        clock.set(NOW);
        open(&sessions, &kept).await.expect("it exists");
    }
}
