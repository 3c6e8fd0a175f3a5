//! A new id for the same session.

use jwt_redis_session::config::Clock as _;
use jwt_redis_session::token::{Encoding, NewClaims, TokenFormat};

use super::hooks::{Interference, before};
use super::lifetimes::{Clocked, IDLE, both};
use super::*;

on_every_store!(rotate_moves_the_session_and_ends_the_old_id);

async fn rotate_moves_the_session_and_ends_the_old_id(store: impl Store + Clone) {
    let opaque = OpaqueTokens::new().size(128).unwrap();
    let opaque: TokenFormat = opaque.encoding(Encoding::Hex).into();
    for tokens in [keyring().into(), opaque] {
        let builder = Sessions::builder(store.clone(), tokens);
        let builder = builder.lifetime(both(Duration::from_secs(9000)));
        let sessions = builder.build().unwrap();
        let session = prepared(&sessions, Some("jo"));
        let with_claims = session.create().claims(json!({"role": "x"})).await;
        let is_jwt = !matches!(with_claims, Err(SessionError::Token(_)));
        let old = match is_jwt {
            true => with_claims.unwrap(),
            false => session.create().await.unwrap(),
        };
        assert!(is_jwt || old.as_str().len() == 256);
        let old_key = key(&session);
        let stored = old_key.clone() + &text(&store, &old_key).await;
        assert!(!stored.contains(old.as_str()));
        let times = |session: &Session| (session.created_at(), session.absolute_expiry());
        let before = times(&session);
        let session = open(&sessions, &old).await.unwrap();
        session.insert("b", 2).unwrap();
        let new = session.rotate().await.unwrap();
        assert_ended(&sessions, &old).await;
        let again = open(&sessions, &new).await.unwrap();
        assert_eq!(again.to_json(), json!({"a": 1, "b": 2}));
        assert_eq!(times(&again), before);
        assert_eq!(again.claims().is_some(), is_jwt);
        if let Some(claims) = again.claims() {
            assert_eq!(claims.get("role"), Ok(Some("x".to_owned())));
            assert_eq!(claims.expires_at(), before.1);
            assert_eq!(claims.subject().as_deref(), Some("jo"));
        }
        assert_ne!(key(&again), old_key);
        assert_eq!(listed(&sessions, "jo").await, [id(&again)]);
        assert_eq!(id(&session), id(&again), "the handle has the new session");
        assert_eq!(session.destroy().await, Ok(true));
    }
}

#[tokio::test]
async fn a_rotation_that_loses_every_race_leaves_the_old_session() {
    let test = Clocked::new(|builder| builder);
    for owner in [None, Some("jo")] {
        let (session, token) = created(&test.sessions, owner).await;
        created(&test.sessions, owner).await;
        let interference = Interference::new(test.store.clone(), key(&session), usize::MAX);
        let disturbed = builder(interference.store).clock(test.clock.clone());
        let rotating = open(&disturbed.build().unwrap(), &token).await.unwrap();
        assert_eq!(rotating.rotate().await, Err(SessionError::Conflict));
        assert_eq!(id(&rotating), id(&session));
        // A tombstone that was left behind counts as abandoned by now.
        let reopened = test.open_after(100, &token).await.unwrap();
        if owner.is_some() {
            assert_eq!(listed(&test.sessions, "jo").await.len(), 2);
            assert_eq!(reopened.destroy_others().await, Ok(1));
            assert_eq!(listed(&test.sessions, "jo").await, [id(&session)]);
        }
        reopened.rotate().await.expect("it can be rotated later");
        assert_ended(&test.sessions, &token).await;
    }
}

#[tokio::test]
async fn a_rotation_whose_new_session_is_destroyed_returns_no_token() {
    let store = MemoryStore::new();
    let others = sessions(store.clone());
    let (session, token) = created(&others, Some("jo")).await;
    let old = id(&session);
    let interference = Interference::new(store, key(&session), 1);
    // Through the list, before newer data of the old session is copied.
    let destroy_new = move |step| {
        let (others, old) = (others.clone(), old.clone());
        async move {
            if step == Step::CompareAndSet {
                let ids = listed(&others, "jo").await;
                let new = ids.iter().find(|id| **id != old).unwrap();
                assert_eq!(others.destroy(new).await, Ok(true));
            }
        }
    };
    let disturbed = sessions(before(interference.store, destroy_new));
    let rotating = open(&disturbed, &token).await.unwrap();
    assert_eq!(rotating.rotate().await, Err(SessionError::Gone));
}

#[tokio::test]
async fn a_rotation_keeps_the_end_that_only_the_token_of_node_has() {
    for lifetime in [Lifetime::Idle(IDLE), both(IDLE * 2)] {
        let test = Clocked::new(|builder| builder.lifetime(lifetime));
        let id = SessionId::parse("0f7b5c3e-52a4-4c0b-9d3a-6f2a1f0c9b8e").unwrap();
        insert(&test.store, &id, r#"{"foo":1}"#).await;
        let now = test.clock.now();
        let end = now + Duration::from_secs(600);
        let claims = NewClaims::at(now).expires_at(end);
        let node = keyring().sign(&id, &claims).unwrap();
        let session = open(&test.sessions, &node).await.unwrap();
        let token = session.rotate().await.unwrap();
        let claims = keyring().verify(token.as_str(), now).unwrap();
        assert_eq!(claims.expires_at(), Some(end), "{lifetime:?}");
        let again = open(&test.sessions, &token).await.unwrap();
        assert_eq!(again.absolute_expiry(), Some(end));
    }
}

#[tokio::test]
async fn a_touch_waits_for_the_rotation_of_the_same_handle() {
    let slow_touch = async |step| {
        if step == Step::SetTtl {
            // Long enough for the rotation to delete the old record.
            settle().await;
        }
    };
    let sessions = sessions(before(MemoryStore::new(), slow_touch));
    let (session, _) = created(&sessions, None).await;
    let (rotated, touched) = tokio::join!(session.rotate(), session.touch());
    assert!(rotated.is_ok());
    assert_eq!((touched, session.state()), (Ok(()), SessionState::Active));
}
