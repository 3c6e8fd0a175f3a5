//! A new id for the same session.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use jwt_redis_session::token::NewClaims;
use tokio::sync::mpsc;

use super::hooks::{Interference, before};
use super::lifetimes::both;
use super::*;

on_every_store!(
    rotate_moves_the_session_and_ends_the_old_id,
    a_rotation_that_loses_every_race_leaves_the_old_session,
);

async fn rotate_moves_the_session_and_ends_the_old_id(store: impl Store + Clone) {
    let lifetime = both(Duration::from_secs(9000));
    let sessions = builder(store).lifetime(lifetime).build().unwrap();
    let session = prepared(&sessions, Some("jo"));
    let old = session.create().claims(json!({"role": "x"})).await.unwrap();
    let old_id = id(&session);
    let times = |session: &Session| (session.created_at(), session.absolute_expiry());
    let before = times(&session);
    let session = open(&sessions, &old).await.unwrap();
    session.insert("b", 2).unwrap();
    let new = session.rotate().await.unwrap();
    assert_ended(&sessions, &old).await;
    let again = open(&sessions, &new).await.unwrap();
    assert_eq!(again.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!(times(&again), before);
    let claims = again.claims().unwrap();
    assert_eq!(claims.get("role"), Ok(Some("x".to_owned())));
    assert_eq!(claims.expires_at(), before.1);
    assert_eq!(claims.subject().as_deref(), Some("jo"));
    assert_ne!(id(&again), old_id);
    assert_eq!(listed(&sessions, "jo").await, [id(&again)]);
    assert_eq!(id(&session), id(&again), "the handle has the new session");
    session.update().await.unwrap();
}

async fn a_rotation_that_loses_every_race_leaves_the_old_session(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for owner in [None, Some("jo")] {
        let (session, token) = created(&sessions, owner).await;
        let (_, other) = created(&sessions, owner).await;
        let interference = Interference::new(store.clone(), key(&session), usize::MAX);
        let disturbed = super::sessions(interference.store);
        let session = open(&disturbed, &token).await.unwrap();
        let old = id(&session);
        assert_eq!(session.rotate().await.unwrap_err(), SessionError::Conflict);
        assert_eq!(id(&session), old);
        assert!(open(&sessions, &token).await.is_ok());
        let session = open(&sessions, &token).await.unwrap();
        if owner.is_some() {
            assert_eq!(session.destroy_others().await, Ok(1));
            assert_ended(&sessions, &other).await;
            assert_eq!(listed(&sessions, "jo").await, [old]);
        }
        session.rotate().await.expect("it can be rotated later");
        assert_ended(&sessions, &token).await;
        session.destroy().await.unwrap();
    }
}

#[tokio::test]
async fn a_rotation_keeps_the_end_that_only_the_token_of_node_has() {
    let day = Duration::from_secs(86_400);
    for lifetime in [Lifetime::Idle(day), both(Duration::from_secs(3600))] {
        let store = MemoryStore::new();
        let sessions = builder(store.clone()).lifetime(lifetime).build().unwrap();
        let id = SessionId::parse("0f7b5c3e-52a4-4c0b-9d3a-6f2a1f0c9b8e").unwrap();
        insert(&store, &id, r#"{"foo":1}"#).await;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let end = UNIX_EPOCH + Duration::from_secs(now.as_secs() + 600);
        let claims = NewClaims::at(SystemTime::now()).expires_at(end);
        let node = keyring().sign(&id, &claims).unwrap();
        let session = open(&sessions, &node).await.unwrap();
        let token = session.rotate().await.unwrap();
        let claims = keyring().verify(token.as_str(), SystemTime::now()).unwrap();
        assert_eq!(claims.expires_at(), Some(end), "{lifetime:?}");
        let again = open(&sessions, &token).await.unwrap();
        assert_eq!(again.absolute_expiry(), Some(end));
    }
}

#[tokio::test]
async fn a_touch_waits_for_the_rotation_of_the_same_handle() {
    let handle = Arc::new(OnceLock::<Session>::new());
    let (started, mut touches) = mpsc::unbounded_channel();
    let rotating = Arc::clone(&handle);
    let touch_meanwhile = move |step| {
        let (rotating, started) = (Arc::clone(&rotating), started.clone());
        async move {
            if step == Step::CompareAndDelete {
                let session = rotating.get().unwrap().clone();
                let touch = tokio::spawn(async move { session.touch().await });
                started.send(touch).unwrap();
                tokio::task::yield_now().await;
            }
            if step == Step::SetTtl {
                // Long enough for the rotation to delete the old record.
                settle().await;
            }
        }
    };
    let sessions = sessions(before(MemoryStore::new(), touch_meanwhile));
    let (session, _) = created(&sessions, None).await;
    handle.set(session.clone()).unwrap();
    session.rotate().await.unwrap();
    let touch = touches.recv().await.unwrap();
    assert_eq!(touch.await.unwrap(), Ok(()));
    assert_eq!(session.state(), SessionState::Active);
}
