//! Reading a session without using it, and `keep_alive`; the clock is moved by hand.

use futures_util::FutureExt;

use super::hooks::yielding;
use super::lifetimes::{Clocked, IDLE, both};
use super::*;

/// What it returned before could be wrong by the time the other operation has succeeded.
#[tokio::test]
async fn keep_alive_waits_for_another_operation_of_the_handle() {
    let sessions = sessions(yielding(MemoryStore::new()));
    let (session, _) = created(&sessions, Some("jo")).await;
    session.insert("b", 2).unwrap();
    let mut update = std::pin::pin!(async { session.update().await });
    assert!(update.as_mut().now_or_never().is_none());
    assert!(session.keep_alive().now_or_never().is_none(), "it waits");
    update.await.unwrap();
    let kept = session.keep_alive().now_or_never();
    assert!(kept.expect("no wait").is_ok());
}

#[tokio::test]
async fn keep_alive_writes_only_when_it_is_due() {
    let test = Clocked::new(|builder| builder);
    let (session, _) = created(&test.sessions, Some("jo")).await;
    let seconds = |seconds| Ok(Duration::from_secs(seconds));
    test.faults.fail_with(StoreErrorKind::Connection);
    assert_eq!(session.keep_alive().await, seconds(1600));
    test.advance(100);
    assert_eq!(session.keep_alive().await, seconds(1500), "not due");
    assert_eq!(session.remaining(), Some(Duration::from_secs(1500)));
    test.advance(1);
    let due = session.keep_alive().await;
    assert_unavailable(due, StoreErrorKind::Connection);
    test.faults.heal();
    assert_eq!(session.keep_alive().await, seconds(1600));
    assert_eq!(test.left(&session).await, 1600);
    for touched in [IDLE * 2, IDLE / 2] {
        session.touch_for(touched).await.unwrap();
        assert_eq!(session.keep_alive().await, seconds(1600), "{touched:?}");
        assert_eq!(test.left(&session).await, 1600);
    }
    test.clock.set(0);
    // A clock that went back counts as stopped.
    assert_eq!(session.keep_alive().await, seconds(1600));
    test.clock.set(1_800_000_000);
    assert_eq!(session.keep_alive().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    assert!(listed(&test.sessions, "jo").await.is_empty());
}

#[tokio::test]
async fn every_write_updates_the_ttl_in_the_handle() {
    let test = Clocked::new(|builder| builder);
    let (session, _) = created(&test.sessions, None).await;
    for operation in "update replace update_with rotate touch reload".split(' ') {
        test.advance(200);
        run(operation, &session).await.unwrap();
        let lost = Duration::from_secs(if operation == "reload" { 200 } else { 0 });
        assert_eq!(session.remaining(), Some(IDLE - lost), "{operation}");
    }
}

#[tokio::test]
async fn a_read_without_touch_keeps_the_ttl() {
    for touch in [Touch::After(IDLE / 16), Touch::EveryRead] {
        let test = Clocked::new(|builder| builder.touch(touch));
        let (session, token) = created(&test.sessions, None).await;
        test.advance(600);
        let seen = test.sessions.get_without_touch(&id(&session)).await;
        let seen = seen.unwrap();
        let many = test.sessions.get_many([&id(&session)]).await;
        settle().await;
        assert_eq!(test.left(&session).await, 1000);
        for seen in [&seen, many[0].as_ref().unwrap()] {
            assert_eq!(seen.remaining(), Some(Duration::from_secs(1000)));
        }
        assert_eq!(seen.keep_alive().await, Ok(IDLE));
        assert_eq!(test.left(&session).await, 1600);
        let opened = test.open_after(50, &token).await.unwrap();
        test.faults.fail_with(StoreErrorKind::Connection);
        let lost = Duration::from_secs(if touch == Touch::EveryRead { 0 } else { 50 });
        assert_eq!(opened.keep_alive().await, Ok(IDLE - lost));
    }
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_record_that_does_not_expire_gets_a_time_to_live() {
    let server = crate::support::redis_server::RedisServer::start();
    let store = jwt_redis_session::RedisStore::connect(&server.url()).await;
    let store = SharedStore::from(store.unwrap());
    for (lifetime, left) in [
        (both(IDLE * 2), IDLE),
        (Lifetime::Absolute(IDLE * 2), IDLE * 2),
    ] {
        let builder = builder(store.clone()).lifetime(lifetime);
        let sessions = builder.touch(Touch::Never).build().unwrap();
        let (session, _) = created(&sessions, None).await;
        server.run(&["PERSIST", &key(&session)]);
        let seen = sessions.get_without_touch(&id(&session)).await.unwrap();
        assert_eq!(seen.remaining(), None);
        let kept = seen.keep_alive().await.unwrap();
        assert!(kept <= left && kept > left - Duration::from_secs(60));
        let stored = store.load(&key(&session)).await.unwrap().unwrap();
        assert!(stored.ttl.unwrap() > left - Duration::from_secs(60));
    }
}
