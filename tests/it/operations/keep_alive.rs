//! Looking at a session without using it, and using it without looking; the clock is moved by hand.

use super::by_the_clock::{IDLE, both, clocked, clocked_faulty, left, open_after};
use super::*;
use jwt_redis_session::store::StoreErrorKind;
use jwt_redis_session::{Lifetime, Touch};

#[tokio::test]
async fn keep_alive_writes_only_when_due_and_tells_what_is_left() {
    let (_, store, clock) = clocked(|builder| builder);
    let counting = Counting::new(store.clone());
    let sessions = builder(counting.clone()).clock(clock.clone());
    let sessions = sessions.max_age(IDLE).build().unwrap();
    let (session, _) = created(&sessions).await;
    let calls = || counting.calls();
    let before = calls();
    assert_eq!(session.keep_alive().await, Ok(IDLE));
    clock.advance(Duration::from_secs(100));
    assert_eq!(session.keep_alive().await, Ok(Duration::from_secs(1500)));
    assert_eq!(calls(), before, "not due");
    clock.advance(Duration::from_secs(1));
    assert_eq!(session.keep_alive().await, Ok(IDLE));
    assert_eq!(calls(), before + 1);
    assert_eq!(left(&store, &session).await, 1600);
    assert_eq!(session.keep_alive().await, Ok(IDLE), "it knows of its own");
    session.touch_for(IDLE * 2).await.unwrap();
    assert_eq!(
        session.keep_alive().await,
        Ok(IDLE),
        "longer than a use gives"
    );
    assert_eq!(left(&store, &session).await, 1600);
    session.touch_for(IDLE / 2).await.unwrap();
    assert_eq!(session.keep_alive().await, Ok(IDLE), "shorter");
    clock.set(0);
    assert_eq!(
        session.keep_alive().await,
        Ok(IDLE),
        "a clock that went back"
    );
    clock.set(1_800_000_000);
    assert_eq!(session.keep_alive().await, Err(SessionError::Gone));
    assert_eq!(session.state(), SessionState::Gone);
    assert!(listed(&sessions, "jo").await.is_empty());
}

#[tokio::test]
async fn what_is_left_of_a_session_is_told_without_asking_or_using_it() {
    let (sessions, _, clock, faults) = clocked_faulty(|builder| builder);
    assert_eq!(sessions.new_session().remaining(), None);
    let (session, _) = created(&sessions).await;
    assert_eq!(session.remaining(), Some(IDLE));
    clock.advance(IDLE / 2);
    let seen = sessions
        .get_without_touch(&session.id().unwrap())
        .await
        .unwrap();
    faults.fail_with(StoreErrorKind::Connection);
    assert_eq!(seen.remaining(), Some(IDLE / 2));
    clock.advance(IDLE);
    assert_eq!(seen.remaining(), Some(Duration::ZERO));
    assert_eq!(sessions.rejected(TokenRejection::Unknown).remaining(), None);
}

#[tokio::test]
async fn keep_alive_knows_what_started_the_time_to_live_anew() {
    let (sessions, _, clock, faults) = clocked_faulty(|builder| builder);
    let (session, _) = created(&sessions).await;
    for step in 0..5 {
        clock.advance(Duration::from_secs(200));
        match step {
            0 => session.update().await.unwrap(),
            1 => session.replace(json!({"b": 2})).await.unwrap(),
            2 => session
                .update_with(|_| Ok::<_, SessionError>(()))
                .await
                .unwrap(),
            3 => session.rotate().await.map(drop).unwrap(),
            _ => session.touch().await.unwrap(),
        }
        faults.fail_with(StoreErrorKind::Connection);
        assert_eq!(
            session.keep_alive().await,
            Ok(IDLE),
            "no round trip: {step}"
        );
        faults.heal();
    }
    clock.advance(Duration::from_secs(200));
    faults.fail_next(StoreErrorKind::Connection, 1);
    let refused = session.keep_alive().await;
    assert!(matches!(refused, Err(SessionError::Unavailable(_))));
    assert_eq!(session.keep_alive().await, Ok(IDLE));
}

#[tokio::test]
async fn keep_alive_after_a_peek_is_the_only_one_to_write() {
    let (sessions, store, clock) = clocked(|builder| builder);
    let (session, _) = created(&sessions).await;
    clock.advance(Duration::from_secs(600));
    let peeked = sessions.get_without_touch(&id(&session)).await.unwrap();
    settle().await;
    assert_eq!(left(&store, &session).await, 1000, "a peek is no use");
    assert_eq!(peeked.keep_alive().await, Ok(IDLE));
    assert_eq!(left(&store, &session).await, 1600);
    let loaded = sessions.get(&id(&session)).await.unwrap();
    clock.advance(Duration::from_secs(50));
    assert_eq!(loaded.keep_alive().await, Ok(Duration::from_secs(1550)));
}

#[tokio::test]
async fn a_peek_is_no_use_even_if_every_read_is() {
    let (sessions, store, clock, faults) =
        clocked_faulty(|builder| builder.touch(Touch::EveryRead));
    let (session, token) = created(&sessions).await;
    clock.advance(Duration::from_secs(1));
    let peeked = sessions.get_without_touch(&id(&session)).await.unwrap();
    settle().await;
    assert_eq!(left(&store, &session).await, 1599);
    assert_eq!(peeked.keep_alive().await, Ok(IDLE), "due as each read is");
    assert_eq!(left(&store, &session).await, 1600);
    let opened = open_after(1, (&sessions, &clock), &token).await.unwrap();
    faults.fail_with(StoreErrorKind::Connection);
    assert_eq!(opened.keep_alive().await, Ok(IDLE), "the read has done it");
}

#[tokio::test]
async fn keep_alive_keeps_to_the_absolute_end() {
    let (sessions, _, clock) = clocked(|builder| builder.lifetime(both(IDLE * 2)));
    let (session, _) = created(&sessions).await;
    clock.advance(Duration::from_secs(1400));
    assert_eq!(session.keep_alive().await, Ok(IDLE));
    clock.advance(Duration::from_secs(1500));
    assert_eq!(session.keep_alive().await, Ok(Duration::from_secs(300)));
    clock.advance(Duration::from_secs(300));
    assert_eq!(session.keep_alive().await, Err(SessionError::Gone));
    let (sessions, _, clock) = clocked(|builder| builder.lifetime(Lifetime::Absolute(IDLE)));
    let (session, _) = created(&sessions).await;
    clock.advance(Duration::from_secs(1599));
    assert_eq!(session.keep_alive().await, Ok(Duration::from_secs(1)));
}

#[tokio::test]
async fn a_record_that_does_not_expire_is_due() {
    for idle in [false, true] {
        let (sessions, store, clock) = clocked(|builder| builder.lifetime(both(IDLE * 2)));
        let (session, _) = created(&sessions).await;
        let endless = builder(intercepted(store.clone(), SeeNoTtl)).clock(clock.clone());
        let endless = if idle {
            endless.lifetime(both(IDLE * 2)).touch(Touch::Never).build()
        } else {
            endless.lifetime(Lifetime::Absolute(IDLE * 2)).build()
        };
        session.touch_for(Duration::from_secs(60)).await.unwrap();
        let peeked = endless
            .unwrap()
            .get_without_touch(&id(&session))
            .await
            .unwrap();
        let full = if idle { IDLE } else { IDLE * 2 };
        assert_eq!(peeked.keep_alive().await, Ok(full));
        assert_eq!(left(&store, &session).await, full.as_secs());
    }
}
