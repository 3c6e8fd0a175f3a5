//! When the owner of a session last authenticated.

use std::time::SystemTime;

use jwt_redis_session::token::TokenError;

use super::hooks::before;
use super::lifetimes::Clocked;
use super::*;

on_every_store!(
    a_login_and_a_reauthentication_are_remembered,
    another_owner_has_not_authenticated,
    reauthentication_needs_the_owner_who_was_loaded,
);

const LIMIT: Duration = Duration::from_secs(300);

fn is_recent(session: &Session) -> bool {
    let is_recent = session.is_authenticated_within(LIMIT);
    assert_eq!(session.authenticated_at().is_some(), is_recent);
    is_recent
}

async fn a_login_and_a_reauthentication_are_remembered(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let absent = sessions.new_session();
    assert!(!is_recent(&absent));
    let reauthenticated = absent.reauthenticated().await;
    assert_eq!(reauthenticated, Err(SessionError::Absent));
    let (session, before) = created(&sessions, Some("jo")).await;
    assert!(!is_recent(&session), "no authentication yet");

    session.insert("b", 2).unwrap();
    let token = session.reauthenticated().await.unwrap();
    assert_ended(&sessions, &before).await;
    assert!(is_recent(&session) && !session.is_modified());
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!(opened.owner().as_deref(), Some("jo"));
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    for operation in NOTICE_THE_END.split(' ') {
        run(operation, &opened).await.unwrap();
        assert!(is_recent(&opened), "{operation}");
    }
    let late = session.reauthenticated().await;
    assert_eq!(late, Err(SessionError::Gone), "rotated meanwhile");

    for owner in [None, Some("jo"), Some("al")] {
        let (session, _) = created(&sessions, owner).await;
        let token = session.login("jo").await.unwrap();
        assert!(is_recent(&session), "{owner:?}");
        assert!(is_recent(&open(&sessions, &token).await.unwrap()));
    }
}

async fn another_owner_has_not_authenticated(store: impl Store + Clone) {
    let sessions = sessions(store);
    for operation in ["update", "rotate"] {
        for owner in [Some("al"), None, Some("jo")] {
            let session = sessions.new_session();
            session.login("jo").await.unwrap();
            match owner {
                Some(owner) => session.set_owner(owner).unwrap(),
                None => session.clear_owner(),
            }
            run(operation, &session).await.unwrap();
            assert_eq!(is_recent(&session), owner == Some("jo"), "{owner:?}");
        }
    }
}

async fn reauthentication_needs_the_owner_who_was_loaded(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (guest, token) = created(&sessions, None).await;
    let refused = guest.reauthenticated().await;
    assert_eq!(refused, Err(SessionError::NoOwner));
    // Not an owner that is not stored yet.
    guest.set_owner("jo").unwrap();
    let refused = guest.reauthenticated().await;
    assert_eq!(refused, Err(SessionError::NoOwner));
    assert!(guest.is_modified());
    open(&sessions, &token).await.unwrap();

    for owner in [Some("al"), None] {
        let (session, token) = created(&sessions, Some("jo")).await;
        let (other, key) = (open(&sessions, &token).await.unwrap(), key(&session));
        // Between the copy and the deletion of the old record.
        let hooked = before(store.clone(), move |step| {
            let other = other.clone();
            async move {
                if step == Step::CompareAndDelete && !other.is_modified() {
                    match owner {
                        Some(owner) => other.set_owner(owner).unwrap(),
                        None => other.clear_owner(),
                    }
                    other.update().await.unwrap();
                    other.insert("changed", true).unwrap();
                }
            }
        });
        let stale = open(&super::sessions(hooked), &token).await.unwrap();
        let refused = stale.reauthenticated().await;
        assert_eq!(refused, Err(SessionError::Conflict), "{owner:?}");
        let found = sessions.get(&id(&session)).await.unwrap();
        assert_eq!(found.owner().as_deref(), owner);
        assert!(!is_recent(&found));
        assert_eq!(text(&store, &key).await.matches("jo").count(), 0);
        found.destroy().await.unwrap();
        if let Some(owner) = owner {
            assert!(listed(&sessions, owner).await.is_empty());
        }
    }
}

#[tokio::test]
async fn an_authentication_gets_old() {
    let test = Clocked::new(|builder| builder);
    let session = test.sessions.new_session();
    let token = session.login("jo").await.unwrap();
    let at = session.authenticated_at();
    test.clock.advance(LIMIT);
    assert!(session.is_authenticated_within(LIMIT));
    test.clock.advance(Duration::from_millis(1));
    assert!(!session.is_authenticated_within(LIMIT));
    let opened = test.open_after(0, &token).await.unwrap();
    assert!(!opened.is_authenticated_within(LIMIT));
    assert_eq!(opened.authenticated_at(), at);
    opened.rotate().await.unwrap();
    assert_eq!(opened.authenticated_at(), at);
    opened.reauthenticated().await.unwrap();
    assert!(opened.is_authenticated_within(Duration::from_secs(1)));
    assert_ne!(opened.authenticated_at(), at);
    opened.destroy().await.unwrap();
    assert_eq!(opened.authenticated_at(), None);
}

#[tokio::test]
async fn a_time_in_the_future_counts_as_now() {
    let test = Clocked::new(|builder| builder);
    let session = test.sessions.new_session();
    session.login("jo").await.unwrap();
    let behind = ManualClock::at(1_700_000_000 - 90);
    let sessions = builder(test.store.clone()).clock(behind.clone());
    let opened = sessions.build().unwrap().get(&id(&session)).await.unwrap();
    let seconds = |seconds| Duration::from_secs(seconds);
    let now = SystemTime::UNIX_EPOCH + seconds(1_700_000_000 - 90);
    assert_eq!(opened.authenticated_at(), Some(now));
    assert!(opened.is_authenticated_within(Duration::ZERO));
    behind.advance(seconds(91));
    assert!(!opened.is_authenticated_within(Duration::ZERO));
    assert!(opened.is_authenticated_within(seconds(1)));

    // Nor is the claim later than `iat`.
    behind.set(1_700_000_000 - 90);
    let sessions = builder(test.store.clone()).clock(behind).auth_time_claim();
    let opened = sessions.build().unwrap().get(&id(&session)).await.unwrap();
    opened.rotate().await.unwrap();
    let claims = opened.claims().unwrap();
    assert_eq!(claims.get("auth_time"), Ok(Some(1_700_000_000 - 90)));
    assert_eq!(claims.issued_at(), Some(now));
}

#[tokio::test]
async fn tokens_carry_the_time_on_request() {
    let custom = json!({"auth_time": 5, "tenant": "acme"});
    let auth_time = |session: &Session| session.claims().unwrap().get::<i64>("auth_time");
    let test = Clocked::new(SessionsBuilder::auth_time_claim);
    let session = test.sessions.new_session();
    let reserved = session.create().claims(&custom).await;
    let error = SessionError::Token(TokenError::ReservedClaim("auth_time"));
    assert_eq!(reserved, Err(error));
    session
        .create()
        .claims(json!({"tenant": "acme"}))
        .await
        .unwrap();
    assert_eq!(auth_time(&session), Ok(None), "unknown");
    session.login("jo").await.unwrap();
    test.advance(100);
    for (operation, expected) in [("rotate", 0), ("reauthenticated", 200), ("rotate", 200)] {
        match operation {
            "rotate" => session.rotate().await.map(drop),
            _ => session.reauthenticated().await.map(drop),
        }
        .unwrap();
        assert_eq!(auth_time(&session), Ok(Some(1_700_000_000 + expected)));
        let tenant = session.claims().unwrap().get::<String>("tenant");
        assert_eq!(tenant, Ok(Some("acme".to_owned())));
        test.advance(100);
    }

    // Without the option, the name is the application's, and decides nothing.
    let plain = builder(test.store.clone()).clock(test.clock.clone());
    let session = plain.build().unwrap().new_session();
    session.create().claims(&custom).await.unwrap();
    session.rotate().await.unwrap();
    assert_eq!(auth_time(&session), Ok(Some(5)));
    assert_eq!(session.authenticated_at(), None);
    session.login("jo").await.unwrap();
    assert_eq!(auth_time(&session), Ok(Some(5)));

    let opaque = Sessions::builder(MemoryStore::new(), OpaqueTokens::new());
    let session = opaque.auth_time_claim().build().unwrap().new_session();
    session.login("jo").await.unwrap();
    assert!(is_recent(&session) && session.claims().is_none());
}
