//! Times to live in Redis, and clocks that jump.

use jwt_redis_session::RedisStore;

use super::lifetimes::{IDLE, both};
use super::*;
use crate::support::redis_server::RedisServer;

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

async fn clocked(server: &RedisServer, lifetime: Lifetime) -> (Sessions, ManualClock) {
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let clock = ManualClock::at(NOW);
    let builder = builder(store).clock(clock.clone()).lifetime(lifetime);
    (builder.build().unwrap(), clock)
}

/// Checks the remaining time of the record. The index of `jo` lives at least as long.
#[track_caller]
fn assert_left(server: &RedisServer, session: &Session, left: Duration) {
    let [record, index] = [&*key(session), INDEX].map(|key| {
        let ttl = redis::from_redis_value(server.run(&["TTL", key]));
        Duration::from_secs(ttl.unwrap())
    });
    let lost = left - record;
    assert!(
        lost < Duration::from_secs(60) && index >= record,
        "{lost:?}"
    );
}

#[tokio::test]
async fn idle_lifetime_does_not_depend_on_the_clock() {
    let server = RedisServer::start();
    let (sessions, clock) = clocked(&server, Lifetime::Idle(IDLE)).await;
    for jump in [0, HOUR, -HOUR, 10 * DAY, -10 * DAY, -NOW, -NOW - HOUR] {
        clock.set(NOW);
        let (session, token) = created(&sessions, Some("jo")).await;
        clock.set(NOW + jump);
        for _ in 0..2 {
            assert_left(&server, &session, IDLE);
            let session = open(&sessions, &token).await.unwrap();
            session.insert("jump", jump).unwrap();
            session.update().await.unwrap();
            session.touch().await.unwrap();
        }
        assert_eq!(listed(&sessions, "jo").await.len(), 1, "{jump}");
        session.touch_for(IDLE * 3).await.unwrap();
        assert_left(&server, &session, IDLE * 3);
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
    for lifetime in [Lifetime::Idle(IDLE), both(IDLE / 2)] {
        let (sessions, clock) = clocked(&server, lifetime).await;
        let (_, kept) = created(&sessions, Some("al")).await;
        for now in [0, -1, -HOUR, -NOW, i64::MIN, i64::MAX, 1 << 40, 1 << 60] {
            clock.set(now);
            let session = prepared(&sessions, Some("jo"));
            // A token that cannot say this time is an error.
            if let Ok(token) = session.create().await {
                open(&sessions, &token).await.unwrap();
                session.update().await.unwrap();
                session.rotate().await.unwrap();
            }
            let _ = open(&sessions, &kept).await.err();
            sessions.list("jo").await.unwrap();
            sessions.destroy_all("jo").await.unwrap();
        }
        clock.set(NOW);
        open(&sessions, &kept).await.unwrap();
    }
}
