//! Logging in and out.

use super::*;

on_every_store!(
    login_without_a_session_creates_one,
    login_keeps_the_data_of_a_guest_under_a_new_id,
    login_again_is_a_rotation,
    login_over_the_session_of_another_ends_it_and_starts_empty,
    login_finds_an_owner_that_was_set_meanwhile,
    of_two_logins_with_one_token_one_wins,
    login_over_a_corrupt_record_removes_it,
    login_ignores_a_pending_owner,
    logout_ends_the_session,
);

async fn guest(sessions: &Sessions) -> (Session, Token) {
    let session = sessions.new_session();
    session.insert("cart", ["apple"]).unwrap();
    let token = session.create().await.unwrap();
    (session, token)
}

async fn login_without_a_session_creates_one(store: impl Store + Clone) {
    let sessions = sessions(store);
    let session = sessions.new_session();
    session.insert("user", "jo").unwrap();
    let token = session.login("jo").await.unwrap();
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.owner().as_deref(), Some("jo"));
    assert_eq!(opened.to_json(), json!({"user": "jo"}));
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    let rejected = sessions.from_token("no token").await;
    let token = rejected.login("jo").await.unwrap();
    assert!(open(&sessions, &token).await.is_ok() && rejected.is_active());
    assert_eq!(
        sessions.new_session().login("").await,
        Err(SessionError::InvalidOwner)
    );
}

async fn login_keeps_the_data_of_a_guest_under_a_new_id(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, before) = guest(&sessions).await;
    let old = key(&session);
    let opened = open(&sessions, &before).await.unwrap();
    // Stored by another request after this one has loaded the session.
    session.insert("coupon", 7).unwrap();
    session.update().await.unwrap();
    opened.insert("user", "jo").unwrap();
    let token = opened.login("jo").await.unwrap();
    assert_eq!(refusal(&sessions, &before).await, Some(UNKNOWN));
    assert!(record(&store, &old).await.is_none());
    let opened = open(&sessions, &token).await.unwrap();
    let data = json!({"cart": ["apple"], "coupon": 7, "user": "jo"});
    assert_eq!(opened.to_json(), data);
    assert_eq!(opened.claims().unwrap().subject().as_deref(), Some("jo"));
    assert_eq!(listed(&sessions, "jo").await, [id(&opened)]);
}

async fn login_again_is_a_rotation(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, before) = created(&sessions).await;
    let token = session.login("jo").await.unwrap();
    assert_eq!(refusal(&sessions, &before).await, Some(UNKNOWN));
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.to_json(), json!({"a": 1}));
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
}

async fn login_over_the_session_of_another_ends_it_and_starts_empty(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (_, before) = created_for(&sessions, "al").await;
    let session = open(&sessions, &before).await.unwrap();
    session.insert("user", "jo").unwrap();
    let token = session.login("jo").await.unwrap();
    assert_eq!(refusal(&sessions, &before).await, Some(UNKNOWN));
    assert!(listed(&sessions, "al").await.is_empty());
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.to_json(), json!({"user": "jo"}));
    assert_eq!(session.to_json(), opened.to_json());
}

async fn login_finds_an_owner_that_was_set_meanwhile(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, before) = guest(&sessions).await;
    let late = open(&sessions, &before).await.unwrap();
    session.set_owner("al").unwrap();
    session.insert("secret", 1).unwrap();
    session.update().await.unwrap();
    let token = late.login("jo").await.unwrap();
    assert_eq!(refusal(&sessions, &before).await, Some(UNKNOWN));
    let opened = open(&sessions, &token).await.unwrap();
    assert_eq!(opened.to_json(), json!({}), "data never crosses owners");
    assert!(listed(&sessions, "al").await.is_empty());
}

async fn of_two_logins_with_one_token_one_wins(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (_, before) = guest(&sessions).await;
    let one = open(&sessions, &before).await.unwrap();
    let other = open(&sessions, &before).await.unwrap();
    let (first, second) = tokio::join!(one.login("jo"), other.login("jo"));
    let (won, lost) = match (first, second) {
        (Ok(token), Err(error)) | (Err(error), Ok(token)) => (token, error),
        outcome => panic!("{outcome:?}"),
    };
    assert_eq!(lost, SessionError::Gone);
    let opened = open(&sessions, &won).await.unwrap();
    assert!(opened.contains_key("cart"));
    assert_eq!(listed(&sessions, "jo").await, [id(&opened)]);
}

async fn login_over_a_corrupt_record_removes_it(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (session, before) = guest(&sessions).await;
    let old = key(&session);
    assert_eq!(store.delete(&old).await, Ok(true));
    insert(&store, &id(&session), "no session").await;
    let corrupt = sessions.from_token(before.as_str()).await;
    let rejected = SessionState::Rejected(TokenRejection::Corrupt);
    assert_eq!(corrupt.state(), rejected);
    let token = corrupt.login("jo").await.unwrap();
    assert!(record(&store, &old).await.is_none());
    assert!(open(&sessions, &token).await.is_ok());
}

async fn login_ignores_a_pending_owner(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, _) = guest(&sessions).await;
    assert!(session.set_owner("").is_err());
    session.login("jo").await.unwrap();
    assert_eq!(session.owner().as_deref(), Some("jo"));
    assert!(!session.is_modified());
}

async fn logout_ends_the_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    assert_eq!(session.logout().await, Ok(true));
    assert_eq!(session.state(), SessionState::Gone);
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(session.logout().await, Ok(false));
}

/// What a failing store leaves: never an old token that works beside a new one.
#[tokio::test]
async fn a_login_that_fails_can_be_repeated() {
    use jwt_redis_session::store::StoreErrorKind;
    let (store, faults) = (jwt_redis_session::MemoryStore::new(), Faults::new());
    let sessions = sessions(faults.wrap(store));
    let (session, before) = guest(&sessions).await;
    faults
        .on(Step::Insert)
        .fail_next(StoreErrorKind::Connection, 1);
    assert!(matches!(
        session.login("jo").await,
        Err(SessionError::Unavailable(_))
    ));
    assert!(open(&sessions, &before).await.is_ok());
    let token = session.login("jo").await.unwrap();
    assert!(open(&sessions, &token).await.unwrap().contains_key("cart"));
    assert_eq!(refusal(&sessions, &before).await, Some(UNKNOWN));
}
