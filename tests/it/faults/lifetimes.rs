//! R31, R32: the times to live that Redis is given.

use std::time::Duration;

use jwt_redis_session::{Lifetime, RedisStore, Session, SessionError};

use super::{builder, open};
use crate::support::redis_server::RedisServer;

/// The remaining seconds of the record and of the index of `jo`.
fn left(server: &RedisServer, session: &Session) -> [i64; 2] {
    let id = session.id().expect("an id");
    [
        format!("sess:{}", id.as_str()),
        "sess:owner:am8:".to_owned(),
    ]
    .map(|key| {
        let ttl = server.run(&["TTL", &key]);
        redis::from_redis_value(ttl).expect("a number")
    })
}

fn is_about(left: i64, seconds: i64) -> bool {
    (seconds - 30..=seconds).contains(&left)
}

#[tokio::test]
async fn r32_redis_is_given_the_shorter_of_both_lifetimes() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    for (idle, absolute, expected) in [
        (Some(600), None, 600),
        (None, Some(900), 900),
        (Some(600), Some(900), 600),
        (Some(900), Some(600), 600),
    ] {
        let seconds = Duration::from_secs;
        let lifetime = match (idle.map(seconds), absolute.map(seconds)) {
            (Some(idle), Some(absolute)) => Lifetime::Both { idle, absolute },
            (Some(idle), None) => Lifetime::Idle(idle),
            (None, absolute) => Lifetime::Absolute(absolute.expect("one of them")),
        };
        let sessions = builder(store.clone()).lifetime(lifetime).build();
        let sessions = sessions.expect("a good configuration");
        let session = sessions.new_session();
        let token = session.create().await.expect("redis answers");
        assert!(is_about(left(&server, &session)[0], expected));
        session.insert("a", 1).expect("a number");
        session.update().await.expect("it lives");
        assert!(is_about(left(&server, &session)[0], expected));
        session.touch_for(seconds(5_000)).await.expect("it lives");
        let most = absolute.map_or(5_000, |absolute| absolute as i64);
        assert!(is_about(left(&server, &session)[0], most));
        session.rotate().await.expect("it lives");
        assert!(is_about(left(&server, &session)[0], expected));
        assert!(open(&sessions, &token).await.is_err());
    }
}

/// R27: what would make Redis delete the record is refused before it is asked.
#[tokio::test]
async fn r32_a_time_to_live_that_redis_would_misread_is_refused() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let sessions = builder(store).build().expect("a good configuration");
    let session = sessions.new_session();
    let token = session.create().await.expect("redis answers");
    for ttl in [Duration::ZERO, Duration::from_nanos(1), Duration::MAX] {
        let refused = session.touch_for(ttl).await;
        assert_eq!(refused, Err(SessionError::InvalidDuration));
    }
    open(&sessions, &token).await.expect("it lives");
    assert!(is_about(left(&server, &session)[0], 86_400));
}

#[tokio::test]
async fn r31_the_index_outlives_the_longest_of_its_sessions() {
    let server = RedisServer::start();
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let sessions = builder(store).max_age(Duration::from_secs(600));
    let sessions = sessions.build().expect("a good configuration");
    let create = async || {
        let session = sessions.new_session();
        session.set_owner("jo").unwrap();
        session.create().await.expect("redis answers");
        session
    };
    let first = create().await;
    let outlives = |session: &Session| {
        let [record, index] = left(&server, session);
        assert!(record > 0 && index >= record, "{index} < {record}");
    };
    outlives(&first);
    first
        .touch_for(Duration::from_secs(9_000))
        .await
        .expect("it lives");
    outlives(&first);
    let second = create().await;
    second.update().await.expect("it lives");
    outlives(&first);
    second.destroy().await.expect("redis answers");
    outlives(&first);
    first.rotate().await.expect("it lives");
    outlives(&first);
}
