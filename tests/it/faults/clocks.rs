//! F28: the application's clock jumps; Redis' does not.

use std::time::Duration;

use jwt_redis_session::config::ManualClock;
use jwt_redis_session::{Lifetime, RedisStore, SessionError, Sessions, TokenRejection};

use super::{builder, open};
use crate::support::redis_server::RedisServer;
use crate::support::seconds;

const NOW: i64 = 1_800_000_000;
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;

async fn clocked(server: &RedisServer, absolute: bool) -> (Sessions, ManualClock) {
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let clock = ManualClock::at(NOW);
    let mut builder = builder(store).clock(clock.clone());
    if absolute {
        builder = builder.lifetime(Lifetime::Both {
            idle: Duration::from_secs(86_400),
            absolute: Duration::from_secs(2 * 3600),
        });
    }
    (builder.build().expect("a good configuration"), clock)
}

/// The remaining seconds of the one record there is.
fn left(server: &RedisServer, id: &str) -> i64 {
    let ttl = server.run(&["TTL", &format!("sess:{id}")]);
    redis::from_redis_value(ttl).expect("a number")
}

#[tokio::test]
async fn f28_an_idle_lifetime_is_redis_affair_whatever_the_clock_says() {
    let server = RedisServer::start();
    let (sessions, clock) = clocked(&server, false).await;
    for jump in [0, HOUR, -HOUR, 10 * DAY, -10 * DAY, -NOW, -NOW - HOUR] {
        clock.set(NOW);
        let session = sessions.new_session();
        session.set_owner("jo").unwrap();
        let token = session.create().await.expect("redis answers");
        let id = session.id().expect("an id");
        clock.set(NOW + jump);
        for _ in 0..2 {
            let ttl = left(&server, id.as_str());
            assert!((DAY - 60..=DAY).contains(&ttl), "{jump}: {ttl}");
            let session = open(&sessions, &token).await.expect("it lives");
            session.insert("jump", jump).expect("a number");
            session.update().await.expect("it lives");
            session.touch().await.expect("it lives");
        }
        let listed = sessions.list("jo").await.expect("redis answers");
        assert_eq!(listed.len(), 1, "{jump}");
        let session = open(&sessions, &token).await.expect("it lives");
        match session.rotate().await {
            Ok(_) => assert!(NOW + jump >= 0),
            // A token cannot say that it was issued before 1970; the session stays.
            Err(SessionError::Token(_)) => assert!(NOW + jump < 0),
            Err(error) => panic!("{jump}: {error}"),
        }
        assert_eq!(sessions.destroy_all("jo").await, Ok(1), "{jump}");
    }
}

#[tokio::test]
async fn f28_an_absolute_end_follows_the_clock() {
    let server = RedisServer::start();
    let (sessions, clock) = clocked(&server, true).await;
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    let token = session.create().await.expect("redis answers");
    let expired = Some(SessionError::Rejected(TokenRejection::Expired));
    for (jump, refused) in [
        (HOUR, None),
        (-HOUR, None),
        (2 * HOUR - 1, None),
        (2 * HOUR, expired.clone()),
        (3 * HOUR, expired),
        (0, None),
    ] {
        clock.set(NOW + jump);
        assert_eq!(open(&sessions, &token).await.err(), refused, "{jump}");
    }
    assert_eq!(seconds(session.absolute_expiry()), Some(NOW + 2 * HOUR));
}

/// No time makes anything panic, and what is made before 1970 is refused or works.
#[tokio::test]
async fn f28_no_time_makes_anything_panic() {
    let server = RedisServer::start();
    for absolute in [false, true] {
        let (sessions, clock) = clocked(&server, absolute).await;
        let kept = sessions.new_session();
        kept.set_owner("al").unwrap();
        let kept = kept.create().await.expect("redis answers");
        for now in [0, -1, -HOUR, -NOW, i64::MIN, i64::MAX, 1 << 40, 1 << 60] {
            clock.set(now);
            let session = sessions.new_session();
            session.set_owner("jo").unwrap();
            let created = session.create().await;
            eprintln!("f28: at {now}: {:?}", created.as_ref().map(|_| "created"));
            if let Ok(token) = created {
                let opened = open(&sessions, &token).await;
                opened.expect("what is created works at once");
                session.update().await.expect("it lives");
                session.rotate().await.expect("it lives");
            }
            let _ = open(&sessions, &kept).await.err();
            sessions.list("jo").await.expect("redis answers");
            sessions.destroy_all("jo").await.expect("redis answers");
        }
        clock.set(NOW);
        open(&sessions, &kept).await.expect("it lives again");
    }
}
