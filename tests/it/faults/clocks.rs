//! The times to live that Redis is given, and clocks that jump.

use std::time::Duration;

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::{Lifetime, RedisStore, Session, SessionError, Sessions, TokenRejection};

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

/// The remaining seconds of the record and of the index of `jo`.
fn left(server: &RedisServer, session: &Session) -> [i64; 2] {
    [
        format!("sess:{}", id(session)),
        "sess:owner:am8:".to_owned(),
    ]
    .map(|key| {
        let ttl = server.run(&["TTL", &key]);
        redis::from_redis_value(ttl).expect("a number")
    })
}

#[tokio::test]
async fn redis_gets_the_shorter_lifetime_and_an_index_that_outlives_it() {
    let server = RedisServer::start();
    let absolute = Lifetime::Absolute(hours(3));
    for (lifetime, usual, longest) in [(IDLE, 24, 72), (absolute, 3, 3), (BOTH, 2, 2)] {
        let (sessions, _) = clocked(&server, lifetime).await;
        let (session, _) = created(&sessions, "jo").await;
        let check = |hours: i64| {
            let [record, index] = left(&server, &session);
            let end = hours * HOUR;
            assert!((end - 30..=end).contains(&record), "{lifetime:?}: {record}");
            assert!(index >= record, "{lifetime:?}: {index} < {record}");
        };
        check(usual);
        session.update().await.expect("it exists");
        check(usual);
        session.touch_for(hours(72)).await.expect("it exists");
        check(longest);
        let (other, _) = created(&sessions, "jo").await;
        other.update().await.expect("it exists");
        assert_eq!(other.destroy().await, Ok(true));
        check(longest);
        session.rotate().await.expect("it exists");
        check(usual);
        // What would make Redis delete the record is rejected before a command is sent.
        for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
            let touched = session.touch_for(ttl).await;
            assert_eq!(touched, Err(SessionError::InvalidDuration));
        }
        check(usual);
    }
}

#[tokio::test]
async fn an_idle_lifetime_does_not_depend_on_the_clock() {
    let server = RedisServer::start();
    let (sessions, clock) = clocked(&server, IDLE).await;
    for jump in [0, HOUR, -HOUR, 10 * DAY, -10 * DAY, -NOW, -NOW - HOUR] {
        clock.set(NOW);
        let (session, token) = created(&sessions, "jo").await;
        clock.set(NOW + jump);
        for _ in 0..2 {
            let [ttl, _] = left(&server, &session);
            assert!((DAY - 60..=DAY).contains(&ttl), "{jump}: {ttl}");
            let session = open(&sessions, &token).await.expect("it exists");
            session.insert("jump", jump).expect("a number");
            session.update().await.expect("it exists");
            session.touch().await.expect("it exists");
        }
        let listed = sessions.list("jo").await.expect("redis answers");
        assert_eq!(listed.len(), 1, "{jump}");
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
async fn an_absolute_lifetime_follows_the_clock() {
    let server = RedisServer::start();
    let (sessions, clock) = clocked(&server, BOTH).await;
    let (_, token) = created(&sessions, "jo").await;
    let expired = SessionError::Rejected(TokenRejection::Expired);
    for jump in [HOUR, -HOUR, 2 * HOUR - 1, 2 * HOUR, 3 * HOUR, 0] {
        clock.set(NOW + jump);
        let expected = (jump >= 2 * HOUR).then(|| expired.clone());
        assert_eq!(open(&sessions, &token).await.err(), expected, "{jump}");
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
