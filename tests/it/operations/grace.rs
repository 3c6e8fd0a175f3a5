//! Rotation with a grace: the old token opens the new session, for that time.

use jwt_redis_session::config::Clock as _;
use jwt_redis_session::token::TokenFormat;

use super::lifetimes::{Clocked, IDLE, both};
use super::*;

pub(super) const GRACE: Duration = Duration::from_secs(30);

on_every_store!(
    the_old_token_opens_the_new_session,
    handles_from_before_the_rotation_go_on,
    everything_ends_at_once,
    every_read_extends_the_new_session,
    a_touch_of_a_handle_from_before_reaches_the_new_session,
);

/// Sessions with JWTs and with opaque tokens.
fn formats(store: &(impl Store + Clone)) -> [Sessions; 2] {
    let formats: [TokenFormat; 2] = [keyring().into(), OpaqueTokens::new().into()];
    formats.map(|format| Sessions::builder(store.clone(), format).build().unwrap())
}

async fn the_old_token_opens_the_new_session(store: impl Store + Clone) {
    for sessions in formats(&store) {
        for owner in [None, Some("jo")] {
            let (session, old) = created(&sessions, owner).await;
            let old_id = id(&session);
            session.insert("b", 2).unwrap();
            let new = session.rotate_with_grace(GRACE).await.unwrap();
            assert_ne!(id(&session), old_id);
            let opened = open(&sessions, &old).await.unwrap();
            assert_eq!(id(&opened), id(&session));
            assert_eq!(opened.to_json(), json!({"a": 1, "b": 2}));
            opened.insert("c", 3).unwrap();
            opened.update().await.unwrap();
            let again = open(&sessions, &new).await.unwrap();
            assert_eq!(again.to_json(), json!({"a": 1, "b": 2, "c": 3}));
            let many = sessions.get_many([&old_id, &id(&session)]).await;
            let many: Vec<_> = many.into_iter().map(|each| id(&each.unwrap())).collect();
            assert_eq!(many, [id(&session), id(&session)]);
            if let Some(owner) = owner {
                assert_eq!(listed(&sessions, owner).await, [id(&session)]);
                assert_eq!(entries(&store, INDEX).await.len(), 1);
            }
            let chosen = sessions.new_session().create().id(old_id).await;
            let is_jwt = !matches!(chosen, Err(SessionError::Token(_)));
            assert!(!is_jwt || chosen == Err(SessionError::Taken));
            assert_eq!(opened.destroy().await, Ok(true));
        }
    }
}

async fn handles_from_before_the_rotation_go_on(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    for operation in operations().filter(|name| !name.contains("destroy")) {
        for owner in [None, Some("jo")] {
            if operation == "list" && owner.is_none() {
                continue;
            }
            let (session, old) = created(&sessions, owner).await;
            let stale = open(&sessions, &old).await.unwrap();
            stale.insert("b", 2).unwrap();
            let new = session.rotate_with_grace(GRACE).await.unwrap();
            assert_eq!(run(operation, &stale).await, Ok(()), "{operation}");
            assert!(stale.is_active());
            assert_eq!(stale.is_alive().await, Ok(true));
            let opened = open(&sessions, &new).await;
            if operation == "rotate" {
                // The privileges may have changed: only the newest token works.
                assert_eq!(opened.err(), Some(UNKNOWN));
                assert_ended(&sessions, &old).await;
                assert_eq!(stale.destroy().await, Ok(true));
                continue;
            }
            let opened = opened.unwrap();
            assert_eq!(opened.contains_key("b"), operation.starts_with("update"));
            assert_eq!(opened.contains_key("c"), operation == "replace");
            if operation != "list" {
                let is_due = operation != "keep_alive";
                assert!(!is_due || id(&stale) == id(&session), "{operation}");
            }
            if owner.is_some() {
                assert_eq!(listed(&sessions, "jo").await, [id(&session)], "{operation}");
                assert_eq!(entries(&store, INDEX).await.len(), 1, "{operation}");
            }
            assert_eq!(stale.destroy().await, Ok(true), "{operation}");
            assert_ended(&sessions, &new).await;
            assert_ended(&sessions, &old).await;
        }
    }
}

/// What ends the session: through the handle that has rotated, a handle from before, and the
/// sessions of the application with both ids.
const ENDS: [&str; 10] = [
    "destroy",
    "stale destroy",
    "old token destroy",
    "old id destroy",
    "old id destroy_owned",
    "destroy_all",
    "stale destroy_all",
    "rotate",
    "login",
    "stale login",
];

async fn everything_ends_at_once(store: impl Store + Clone) {
    for sessions in formats(&store) {
        for end in ENDS {
            let (session, old) = created(&sessions, Some("jo")).await;
            let (old_id, stale) = (id(&session), open(&sessions, &old).await.unwrap());
            let new = session.rotate_with_grace(GRACE).await.unwrap();
            let handle = match end.split_once(' ') {
                Some(("stale", _)) => stale,
                Some(("old token", _)) => open(&sessions, &old).await.unwrap(),
                _ => session.clone(),
            };
            let newest = match end {
                "old id destroy" => sessions.destroy(&old_id).await.map(|_| None),
                "old id destroy_owned" => {
                    let foreign = sessions.destroy_owned("al", &old_id).await;
                    assert_eq!(foreign, Ok(false));
                    sessions.destroy_owned("jo", &old_id).await.map(|_| None)
                }
                "rotate" => handle.rotate().await.map(Some),
                _ if end.ends_with("login") => handle.login("jo").await.map(Some),
                _ if end.ends_with("destroy_all") => handle.destroy_all().await.map(|_| None),
                _ => handle.destroy().await.map(|existed| {
                    assert!(existed, "{end}");
                    None
                }),
            };
            let newest = newest.unwrap_or_else(|error| panic!("{end}: {error}"));
            assert_ended(&sessions, &old).await;
            assert_ended(&sessions, &new).await;
            assert_eq!(sessions.destroy(&old_id).await, Ok(false), "{end}");
            let left = usize::from(newest.is_some());
            assert_eq!(listed(&sessions, "jo").await.len(), left, "{end}");
            if let Some(newest) = newest {
                let opened = open(&sessions, &newest).await.unwrap();
                assert_eq!(opened.destroy_all().await, Ok(1));
            }
        }
    }
}

async fn every_read_extends_the_new_session(store: impl Store + Clone) {
    let builder = builder(store.clone()).touch(Touch::EveryRead);
    let sessions = builder.max_age(IDLE).build().unwrap();
    let (session, old) = created(&sessions, Some("jo")).await;
    let old_key = key(&session);
    session.rotate_with_grace(GRACE).await.unwrap();
    session.touch_for(Duration::from_secs(60)).await.unwrap();
    let opened = open(&sessions, &old).await.unwrap();
    assert_eq!(id(&opened), id(&session));
    let left = async |key: &str| record(&store, key).await.unwrap().ttl.unwrap();
    assert!(left(&key(&session)).await > IDLE / 2);
    assert!(left(&old_key).await <= GRACE);
}

async fn a_touch_of_a_handle_from_before_reaches_the_new_session(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let minute = Duration::from_secs(60);
    for owner in [None, Some("jo")] {
        let (session, old) = created(&sessions, owner).await;
        let (stale, old_key) = (open(&sessions, &old).await.unwrap(), key(&session));
        session.rotate_with_grace(GRACE).await.unwrap();
        stale.touch_for(minute).await.unwrap();
        let left = async |key: &str| record(&store, key).await.unwrap().ttl.unwrap();
        assert!(left(&key(&session)).await <= minute);
        assert!(left(&old_key).await <= GRACE);
        assert!(stale.remaining().is_some_and(|left| left <= minute));
    }
}

#[tokio::test]
async fn the_grace_ends_in_time() {
    let test = Clocked::new(|builder| builder);
    for owner in [None, Some("jo")] {
        let (session, old) = created(&test.sessions, owner).await;
        let (old_id, old_key) = (id(&session), key(&session));
        let stale = open(&test.sessions, &old).await.unwrap();
        let new = session.rotate_with_grace(GRACE).await.unwrap();
        // As the npm package does with every key that it reads.
        let redirect = record(&test.store, &old_key).await.unwrap().value;
        let extended = NewRecord::new(&old_key, &redirect, Duration::from_secs(3600));
        test.store
            .compare_and_set(&redirect, extended)
            .await
            .unwrap();
        test.open_after(29, &old).await.unwrap();
        assert_eq!(test.open_after(1, &old).await.err(), Some(UNKNOWN));
        assert_eq!(test.sessions.get(&old_id).await.err(), Some(UNKNOWN));
        assert_eq!(stale.is_alive().await, Ok(false));
        let again = test.sessions.new_session().create().id(old_id.clone());
        assert_eq!(again.await, Err(SessionError::Taken));
        assert_eq!(test.sessions.destroy(&old_id).await, Ok(false));
        open(&test.sessions, &new).await.unwrap();
        session.destroy().await.unwrap();
    }
}

#[tokio::test]
async fn handles_from_before_end_with_the_grace() {
    let test = Clocked::new(|builder| builder);
    for operation in NOTICE_THE_END.split(' ') {
        for extend in [false, true] {
            let (session, old) = created(&test.sessions, Some("jo")).await;
            let old_key = key(&session);
            let stale = open(&test.sessions, &old).await.unwrap();
            let new = session.rotate_with_grace(GRACE).await.unwrap();
            let redirect = record(&test.store, &old_key).await.unwrap().value;
            if extend {
                let extended = NewRecord::new(&old_key, &redirect, IDLE);
                test.store
                    .compare_and_set(&redirect, extended)
                    .await
                    .unwrap();
            }
            test.advance(30);
            let outcome = run(operation, &stale).await;
            assert_eq!(outcome, Err(SessionError::Gone), "{operation}");
            assert_eq!(stale.state(), SessionState::Gone);
            assert_eq!(stale.destroy().await, Ok(false));
            let left = record(&test.store, &old_key).await.map(|left| left.value);
            assert_eq!(left, extend.then_some(redirect), "{operation}");
            open(&test.sessions, &new).await.unwrap();
            assert_eq!(listed(&test.sessions, "jo").await, [id(&session)]);
            assert_eq!(session.destroy_all().await, Ok(1));
        }
    }
}

/// The clock of the host that reads may be ahead of the one that has rotated.
#[tokio::test]
async fn within_the_leeway_the_store_decides() {
    let test = Clocked::new(|builder| builder);
    let (session, old) = created(&test.sessions, None).await;
    session.rotate_with_grace(GRACE).await.unwrap();
    let ahead = ManualClock::at(1_700_000_000 + 35);
    let keyring = keyring().leeway(Duration::from_secs(10)).unwrap();
    let lenient = Sessions::builder(test.store.clone(), keyring);
    let lenient = lenient.clock(ahead.clone()).build().unwrap();
    let strict = builder(test.store.clone()).clock(ahead).build().unwrap();
    open(&lenient, &old).await.unwrap();
    assert_ended(&strict, &old).await;
    test.advance(30);
    assert_ended(&lenient, &old).await;
}

#[tokio::test]
async fn the_absolute_end_holds() {
    let test = Clocked::new(|builder| builder.lifetime(both(Duration::from_secs(100))));
    let (session, old) = created(&test.sessions, None).await;
    let end = session.absolute_expiry();
    test.advance(90);
    let new = session.rotate_with_grace(GRACE).await.unwrap();
    assert_eq!(session.absolute_expiry(), end);
    let claims = keyring().verify(new.as_str(), test.clock.now()).unwrap();
    assert_eq!(claims.expires_at(), end);
    test.open_after(9, &old).await.unwrap();
    let expired = test.open_after(1, &old).await.err();
    assert_eq!(
        expired,
        Some(SessionError::Rejected(TokenRejection::Expired))
    );
}

#[tokio::test]
async fn the_grace_is_checked_before_anything_changes() {
    let sessions = sessions(MemoryStore::new());
    let (session, token) = created(&sessions, Some("jo")).await;
    let second = Duration::from_secs(1);
    for grace in [
        Duration::ZERO,
        second - Duration::from_nanos(1),
        300 * second + Duration::from_nanos(1),
        Duration::MAX,
    ] {
        let outcome = session.rotate_with_grace(grace).await;
        assert_eq!(outcome, Err(SessionError::InvalidDuration));
        open(&sessions, &token).await.unwrap();
    }
    for grace in [second, 300 * second] {
        session.rotate_with_grace(grace).await.unwrap();
    }
}

#[tokio::test]
async fn a_chain_of_rotations_is_followed_for_some_hops() {
    for sessions in formats(&MemoryStore::new()) {
        let (session, first) = created(&sessions, Some("jo")).await;
        let mut tokens = vec![first];
        for _ in 0..9 {
            tokens.push(session.rotate_with_grace(GRACE).await.unwrap());
        }
        let opens = async |token| open(&sessions, token).await.is_ok();
        assert!(!opens(&tokens[0]).await);
        for token in &tokens[1..] {
            assert!(opens(token).await);
        }
        let oldest = open(&sessions, &tokens[1]).await.unwrap();
        assert_eq!(oldest.destroy().await, Ok(true));
        for token in &tokens {
            assert!(!opens(token).await);
        }
    }
}

/// A redirect is found with what an operation reads or compares anyway.
#[tokio::test]
async fn only_redirected_tokens_cost_another_round_trip() {
    let store = Counting::new(MemoryStore::new());
    let sessions = sessions(store.clone());
    let (session, old) = created(&sessions, None).await;
    let new = session.rotate_with_grace(GRACE).await.unwrap();
    let mut before = store.calls();
    let mut calls = || {
        let calls = store.calls();
        calls - std::mem::replace(&mut before, calls)
    };
    open(&sessions, &new).await.unwrap();
    assert_eq!(calls(), 1);
    open(&sessions, &old).await.unwrap();
    assert_eq!(calls(), 2);
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(calls(), 1);
    assert_ended(&sessions, &new).await;
    assert_eq!(calls(), 1);
}

/// The rotation has happened, although the store did not say so.
#[tokio::test]
async fn a_rotation_whose_last_reply_is_lost_is_not_undone() {
    for owner in [None, Some("jo")] {
        let test = Clocked::new(|builder| builder);
        let (session, old) = created(&test.sessions, owner).await;
        test.faults.on(Step::CompareAndSet).lose_replies(1);
        let new = session.rotate_with_grace(GRACE).await.unwrap();
        assert!(open(&test.sessions, &old).await.is_ok());
        let opened = open(&test.sessions, &new).await.unwrap();
        assert_eq!(id(&opened), id(&session));
        if owner.is_some() {
            assert_eq!(listed(&test.sessions, "jo").await, [id(&session)]);
        }
    }
}

#[tokio::test]
async fn what_only_looks_like_a_redirect_is_corrupt() {
    let store = MemoryStore::new();
    let sessions = sessions(store.clone());
    for value in [
        "->",
        "->short 1",
        "->0123456789abcdef",
        "->0123456789abcdef x",
    ] {
        let (session, token) = created(&sessions, Some("jo")).await;
        let (id, key) = (id(&session), key(&session));
        assert!(store.delete(&key).await.unwrap());
        insert(&store, &id, value).await;
        let corrupt = SessionError::Rejected(TokenRejection::Corrupt);
        assert_eq!(open(&sessions, &token).await.err(), Some(corrupt));
        session.insert("b", 2).unwrap();
        assert_eq!(session.update().await, Err(SessionError::Corrupt));
        assert_eq!(text(&store, &key).await, value);
        let rejected = sessions.from_token(token.as_str()).await;
        assert_eq!(rejected.destroy().await, Ok(false));
        assert!(store.load(&key).await.unwrap().is_none());
    }
}

#[tokio::test]
async fn a_handle_from_before_keeps_its_session_when_it_ends_the_others() {
    let sessions = sessions(MemoryStore::new());
    let (session, old) = created(&sessions, Some("jo")).await;
    let stale = open(&sessions, &old).await.unwrap();
    let old_id = id(&stale);
    let new = session.rotate_with_grace(GRACE).await.unwrap();
    for by_handle in [true, false] {
        created(&sessions, Some("jo")).await;
        let ended = match by_handle {
            true => stale.destroy_others().await,
            false => sessions.destroy_others("jo", &old_id).await,
        };
        assert_eq!(ended, Ok(1));
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        assert!(open(&sessions, &new).await.is_ok());
        assert!(open(&sessions, &old).await.is_ok());
    }
}
