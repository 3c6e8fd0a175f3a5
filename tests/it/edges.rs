//! Edges at which a promise once broke.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::seconds;
use jsonwebtoken::{EncodingKey, Header};
use jwt_redis_session::config::{ManualClock, SessionsBuilder};
use jwt_redis_session::store::{
    CompareOutcome, NewEntry, NewRecord, PutMode, SharedStore, Store, StoreErrorKind,
};
use jwt_redis_session::testing::{Faults, Hooked, Step};
use jwt_redis_session::{
    Keyring, Lifetime, MemoryStore, Session, SessionError, SessionId, SessionState, Sessions,
    token::NewClaims,
};
use serde_json::{Value, json};
use test_support::StopBefore;

const NODE_ID: &str = "0f7b5c3e-52a4-4c0b-9d3a-6f2a1f0c9b8e";

fn keyring() -> Keyring {
    Keyring::hs256("a secret of at least 32 random bytes").unwrap()
}

fn builder(store: impl Into<SharedStore>) -> SessionsBuilder {
    Sessions::builder(store, keyring())
}

fn sessions(store: impl Into<SharedStore>) -> Sessions {
    builder(store).build().unwrap()
}

async fn created(sessions: &Sessions, owner: Option<&str>) -> (Session, String) {
    let session = sessions.new_session();
    if let Some(owner) = owner {
        session.set_owner(owner).unwrap();
    }
    let token = session.create().await.unwrap();
    (session, token.into_string())
}

fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

fn forge(claims: &Value) -> String {
    let key = EncodingKey::from_secret(b"a secret of at least 32 random bytes");
    jsonwebtoken::encode(&Header::default(), claims, &key).unwrap()
}

fn at(unix_seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(unix_seconds.unsigned_abs())
}

/// npm: `create({sub: 42})`. The owner comes from the record, never from the token.
#[tokio::test]
async fn a_token_with_a_subject_of_any_type_opens_its_session() {
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions, Some("jo")).await;
    let id = session.id().unwrap();
    for sub in [json!(42), json!(null), json!("other")] {
        let claims = json!({ "jti": id.as_str(), "iat": now(), "sub": sub });
        let token = forge(&claims);
        let opened = sessions.open(&token).await.unwrap();
        assert_eq!(opened.owner().as_deref(), Some("jo"), "{sub}");
    }
    let numeric = forge(&json!({ "jti": id.as_str(), "sub": 42 }));
    let session = sessions.open(&numeric).await.unwrap();
    let rotated = session.rotate().await.unwrap();
    let again = sessions.open(rotated.as_str()).await.unwrap();
    assert_eq!(again.claims().unwrap().subject().as_deref(), Some("jo"));
}

#[tokio::test]
async fn a_rotation_keeps_the_end_that_only_the_token_of_node_tells() {
    for absolute in [false, true] {
        let store = MemoryStore::new();
        let sessions = if absolute {
            builder(store.clone()).lifetime(Lifetime::Both {
                idle: Duration::from_secs(86_400),
                absolute: Duration::from_secs(3600),
            })
        } else {
            builder(store.clone())
        };
        let sessions = sessions.build().unwrap();
        let key = format!("sess:{NODE_ID}");
        let record = NewRecord::new(&key, br#"{"foo":1}"#, Duration::from_secs(86_400));
        assert_eq!(store.insert(record).await, Ok(true));
        let end = now() + 600;
        let claims = NewClaims::at(SystemTime::now()).expires_at(at(end));
        let node = keyring().sign(&SessionId::parse(NODE_ID).unwrap(), &claims);
        let session = sessions.open(node.unwrap().as_str()).await.unwrap();
        let token = session.rotate().await.unwrap();
        let claims = keyring().verify(token.as_str(), SystemTime::now()).unwrap();
        assert_eq!(claims.expires_at(), Some(at(end)), "absolute: {absolute}");
        let again = sessions.open(token.as_str()).await.unwrap();
        assert_eq!(seconds(again.absolute_expiry()), Some(end));
    }
}

#[tokio::test]
async fn a_rotation_that_draws_a_taken_id_leaves_the_other_session_alone() {
    let ids = [
        "cccccccccccccccc",
        "bbbbbbbbbbbbbbbb",
        "bbbbbbbbbbbbbbbb",
        "aaaaaaaaaaaaaaaa",
    ];
    let ids = Arc::new(Mutex::new(ids.to_vec()));
    let next = move || SessionId::parse(ids.lock().unwrap().pop().unwrap()).unwrap();
    let sessions = builder(MemoryStore::new())
        .id_generator(next)
        .build()
        .unwrap();
    let (rotating, _) = created(&sessions, Some("jo")).await;
    let (_, victim) = created(&sessions, Some("al")).await;
    let token = rotating.rotate().await.unwrap();
    sessions.open(token.as_str()).await.unwrap();
    sessions.open(&victim).await.unwrap();
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
    assert_eq!(sessions.list("al").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_session_that_could_not_be_opened_can_be_ended() {
    let store = MemoryStore::new();
    let large = sessions(store.clone());
    let small = builder(store.clone()).max_size(10).build().unwrap();
    for owned in [false, true] {
        let (session, token) = created(&large, Some("jo")).await;
        let id = session.id().unwrap();
        let ended = if owned {
            small.destroy_owned("jo", &id).await
        } else {
            small.destroy(&id).await
        };
        assert_eq!(ended, Ok(true));
        assert!(large.open(&token).await.is_err());
    }
    created(&large, Some("jo")).await;
    assert_eq!(small.destroy_all("jo").await, Ok(1));
}

#[tokio::test]
async fn only_a_destroy_by_id_deletes_a_record_that_is_not_a_session() {
    let store = MemoryStore::new();
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions, Some("jo")).await;
    let id = session.id().unwrap();
    let key = format!("sess:{}", id.as_str());
    let stored = store.load(&key).await.unwrap().unwrap();
    let record = NewRecord::new(&key, b"[1,2]", Duration::from_secs(60));
    let spoiled = store.compare_and_set(&stored.value, record).await;
    assert_eq!(spoiled, Ok(CompareOutcome::Applied));
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let owned = sessions.destroy_owned("jo", &id).await;
    assert_eq!(owned, Err(SessionError::Corrupt));
    assert_eq!(store.len(), 1, "it may be data of another application");
    assert_eq!(sessions.destroy(&id).await, Ok(true));
    assert!(store.is_empty());
    // Data of another type is not deleted.
    let key = key.strip_prefix("sess:").unwrap();
    let entry = NewEntry::new("sess:index-of-another", key, 1, Duration::from_secs(60));
    let put = store.index_put(entry, PutMode::KeepTombstone).await;
    put.unwrap();
    let id = SessionId::parse("index-of-another").unwrap();
    assert_eq!(sessions.destroy(&id).await, Err(SessionError::Corrupt));
}

#[tokio::test]
async fn a_session_that_comes_back_while_its_old_entry_is_pruned_stays_listed() {
    let clock = ManualClock::at(1_700_000_000);
    let store = MemoryStore::new().with_clock(clock.clone());
    let build = |store: SharedStore| {
        let builder = builder(store).clock(clock.clone());
        builder.max_age(Duration::from_secs(100)).build().unwrap()
    };
    let sessions = build(store.clone().into());
    let (wanderer, token) = created(&sessions, Some("a")).await;
    let (stays, _) = created(&sessions, Some("a")).await;
    wanderer.set_owner("b").unwrap();
    wanderer.update().await.unwrap();
    for _ in 0..4 {
        clock.advance(Duration::from_secs(80));
        wanderer.update().await.unwrap();
        stays.update().await.unwrap();
    }
    let stop = StopBefore::new(Step::IndexRemove);
    let listing = build(Hooked::new(store, Arc::clone(&stop)).into());
    let list = tokio::spawn(async move { listing.list("a").await.map(|list| list.len()) });
    stop.reached().await;
    wanderer.set_owner("a").unwrap();
    wanderer.update().await.unwrap();
    stop.resume();
    assert_eq!(list.await.unwrap(), Ok(1));
    assert_eq!(sessions.list("a").await.unwrap().len(), 2);
    assert_eq!(sessions.destroy_all("a").await, Ok(2));
    assert!(sessions.open(&token).await.is_err());
}

#[tokio::test]
async fn a_touch_waits_for_the_rotation_of_the_same_handle() {
    let store = MemoryStore::new();
    let (_, token) = created(&sessions(store.clone()), None).await;
    let stop = StopBefore::new(Step::CompareAndDelete);
    let stopped = sessions(Hooked::new(store, Arc::clone(&stop)));
    let session = stopped.open(&token).await.unwrap();
    let (rotating, touching) = (session.clone(), session.clone());
    let rotation = tokio::spawn(async move { rotating.rotate().await });
    stop.reached().await;
    let mut touch = tokio::spawn(async move { touching.touch().await });
    let early = tokio::time::timeout(Duration::from_millis(20), &mut touch).await;
    assert!(early.is_err(), "the touch did not wait");
    stop.resume();
    rotation.await.unwrap().unwrap();
    assert_eq!(touch.await.unwrap(), Ok(()));
    assert_eq!(session.state(), SessionState::Active);
}

#[tokio::test]
async fn replacing_the_data_does_not_change_the_owner() {
    let sessions = sessions(MemoryStore::new());
    let (session, token) = created(&sessions, Some("a")).await;
    session.set_owner("b").unwrap();
    session.replace(serde_json::json!({"k": 1})).await.unwrap();
    let stored = sessions.open(&token).await.unwrap();
    assert_eq!(stored.owner().as_deref(), Some("a"));
    assert_eq!(session.owner().as_deref(), Some("b"), "still pending");
    session.update().await.unwrap();
    session.set_owner("c").unwrap();
    session.reload().await.unwrap();
    assert_eq!(session.owner().as_deref(), Some("b"), "dropped");
    assert_eq!(sessions.list("b").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_logout_during_an_outage_can_be_repeated_on_the_same_handle() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (_, token) = created(&sessions, Some("jo")).await;
    faults.fail_with(StoreErrorKind::Connection);
    let session = sessions.from_token(&token).await;
    assert!(session.destroy().await.is_err());
    faults.heal();
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(session.destroy().await, Ok(false));
    assert!(sessions.list("jo").await.unwrap().is_empty());
}

#[tokio::test]
async fn an_absolute_lifetime_holds_for_sessions_that_were_there_before_it() {
    let clock = ManualClock::at(1_700_000_000);
    let store = MemoryStore::new().with_clock(clock.clone());
    let tokens = jwt_redis_session::OpaqueTokens::new;
    let build = |limited: bool| {
        let builder = Sessions::builder(store.clone(), tokens()).clock(clock.clone());
        let idle = Duration::from_secs(1000);
        let absolute = Duration::from_secs(100);
        let builder = if limited {
            builder.lifetime(Lifetime::Both { idle, absolute })
        } else {
            builder.max_age(idle)
        };
        builder.build().unwrap()
    };
    let (_, token) = created(&build(false), None).await;
    clock.advance(Duration::from_secs(99));
    build(true).open(&token).await.unwrap();
    clock.advance(Duration::from_secs(1));
    assert!(build(true).open(&token).await.is_err());
}

/// The clock of one host is 90 s ahead, which is less than the leeway of 120 s.
#[tokio::test]
async fn an_absolute_lifetime_holds_on_a_host_whose_clock_is_ahead() {
    const ABSOLUTE: Duration = Duration::from_secs(60);
    let (clock, ahead) = (
        ManualClock::at(1_700_000_000),
        ManualClock::at(1_700_000_090),
    );
    let store = MemoryStore::new().with_clock(clock.clone());
    let build = |clock: &ManualClock, leeway| {
        let keyring = keyring().leeway(Duration::from_secs(leeway)).unwrap();
        let builder = Sessions::builder(store.clone(), keyring).clock(clock.clone());
        let (idle, absolute) = (Duration::from_secs(86_400), ABSOLUTE);
        let lifetime = Lifetime::Both { idle, absolute };
        builder.lifetime(lifetime).build().unwrap()
    };
    let (_, token) = created(&build(&clock, 120), Some("jo")).await;
    build(&ahead, 0).open(&token).await.expect_err("no leeway");

    let sessions = build(&ahead, 120);
    let session = sessions.open(&token).await.unwrap();
    session.insert("a", 1).unwrap();
    session.update().await.unwrap();
    session.touch().await.unwrap();
    session.touch_for(ABSOLUTE * 10).await.unwrap();
    session.keep_alive().await.unwrap();
    let token = session.rotate().await.unwrap().into_string();
    assert_eq!(sessions.list("jo").await.unwrap().len(), 1);
    assert!(session.is_alive().await.unwrap());
    let key = format!("sess:{}", session.id().unwrap().as_str());
    let stored = store.load(&key).await.unwrap().unwrap();
    assert_eq!(stored.ttl, Some(ABSOLUTE), "nothing has extended it");

    for clock in [&clock, &ahead] {
        clock.advance(ABSOLUTE);
    }
    assert!(sessions.open(&token).await.is_err());
    assert!(store.is_empty());
}
