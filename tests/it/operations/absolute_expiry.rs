//! An earlier absolute end for one session.

use std::time::SystemTime;

use super::lifetimes::{Clocked, IDLE, both};
use super::*;

on_every_store!(an_earlier_end_holds_for_every_process);

const START: i64 = 1_700_000_000;

/// Returns the time `seconds` after [`START`].
fn at(seconds: u64) -> SystemTime {
    let start = u64::try_from(START).unwrap();
    SystemTime::UNIX_EPOCH + Duration::from_secs(start + seconds)
}

async fn an_earlier_end_holds_for_every_process(store: impl Store + Clone) {
    const LIMIT: Duration = Duration::from_secs(100);

    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions, Some("jo")).await;
    let stale = open(&sessions, &token).await.unwrap();
    let end = SystemTime::now() + LIMIT;
    session.set_absolute_expiry(end);
    assert!(session.is_modified());
    assert_eq!(session.absolute_expiry(), None, "it is not stored yet");
    session.update().await.unwrap();
    assert!(!session.is_modified());
    let claims = open(&sessions, &token).await.unwrap().claims().unwrap();
    assert_eq!(claims.expires_at(), None, "the token is the same");

    let other = builder(store.clone()).max_age(IDLE).touch(Touch::EveryRead);
    let other = open(&other.build().unwrap(), &token).await.unwrap();
    for operation in "touch update replace rotate".split(' ') {
        // Also by a handle that has not seen it.
        let session = if operation == "replace" {
            &stale
        } else {
            &other
        };
        run(operation, session).await.unwrap();
        let stored = record(&store, &key(session)).await.unwrap();
        assert!(stored.ttl.unwrap() <= LIMIT, "{operation}");
        let found = session.absolute_expiry().unwrap();
        assert!(found <= end && found > end - Duration::from_secs(2));
    }
    let claims = other.claims().unwrap();
    assert_eq!(claims.expires_at(), other.absolute_expiry(), "a new token");
}

#[tokio::test]
async fn an_end_is_only_shortened() {
    for (lifetime, later) in [
        (Lifetime::Idle(IDLE), None),
        (both(IDLE * 2), Some(at(3200))),
        (Lifetime::Absolute(IDLE * 2), Some(at(3200))),
    ] {
        let test = Clocked::new(|builder| builder.lifetime(lifetime));
        let (session, token) = created(&test.sessions, Some("jo")).await;
        assert_eq!(session.absolute_expiry(), later);
        for (end, expected) in [(3000, 3000), (3001, 3000), (2000, 2000), (3000, 2000)] {
            session.set_absolute_expiry(at(end));
            session.update().await.unwrap();
            assert_eq!(session.absolute_expiry(), Some(at(expected)), "{end}");
        }
        session.set_absolute_expiry(at(1000));
        // Of two, the earlier one.
        session.set_absolute_expiry(at(1500));
        session.update().await.unwrap();
        let opened = test.open_after(999, &token).await.unwrap();
        opened.touch_for(IDLE).await.unwrap();
        assert_eq!(test.left(&opened).await, 1);
        // The record decides, whatever the time to live is.
        let touched = test.store.set_ttl(&key(&opened), IDLE).await;
        assert_eq!(touched, Ok(true));
        let ended = test.open_after(1, &token).await.unwrap_err();
        assert_eq!(ended, SessionError::Rejected(TokenRejection::Expired));
    }
}

#[tokio::test]
async fn a_session_is_created_with_an_earlier_end() {
    for (end, expected) in [(100, 100), (5000, 3200)] {
        let test = Clocked::new(|builder| builder.lifetime(both(IDLE * 2)));
        for operation in ["create", "login"] {
            let session = test.sessions.new_session();
            session.set_absolute_expiry(at(end));
            match operation {
                "create" => session.create().await.map(drop),
                _ => session.login("jo").await.map(drop),
            }
            .unwrap();
            assert_eq!(session.absolute_expiry(), Some(at(expected)));
            let expires = session.claims().unwrap().expires_at();
            assert_eq!(expires, Some(at(expected)));
        }
    }
}

/// The session was created without an absolute lifetime, and is older than that of this process.
#[tokio::test]
async fn an_end_is_not_later_than_that_of_the_configuration() {
    let test = Clocked::new(|builder| builder);
    let (session, _) = created(&test.sessions, None).await;
    let limited = builder(test.store.clone()).clock(test.clock.clone());
    let limited = limited.lifetime(both(Duration::from_secs(100)));
    let limited = limited.build().unwrap();
    let opened = limited.get(&id(&session)).await.unwrap();
    opened.set_absolute_expiry(at(1000));
    opened.update().await.unwrap();
    assert_eq!(opened.absolute_expiry(), Some(at(100)));
}

#[tokio::test]
async fn a_past_end_ends_the_session_soon() {
    let test = Clocked::new(|builder| builder);
    let (session, token) = created(&test.sessions, Some("jo")).await;
    for past in [SystemTime::UNIX_EPOCH, at(0)] {
        session.set_absolute_expiry(past);
        session.update().await.unwrap();
        assert_eq!(session.absolute_expiry(), Some(at(2)));
    }
    test.open_after(1, &token).await.unwrap();
    assert!(test.open_after(1, &token).await.is_err());
    assert!(listed(&test.sessions, "jo").await.is_empty());
}
