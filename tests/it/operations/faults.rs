//! Faults of the store, played by the `MemoryStore`.

use super::*;
use jwt_redis_session::MemoryStore;
use jwt_redis_session::store::StoreErrorKind;

fn is_unavailable<T>(outcome: Result<T, SessionError>, kind: StoreErrorKind) {
    match outcome.map(drop) {
        Err(SessionError::Unavailable(error)) => assert_eq!(error.kind(), kind),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn r25_r29_a_refusal_is_an_error_and_changes_nothing() {
    let (store, faults) = (MemoryStore::new(), Faults::new());
    let sessions = sessions(faults.wrap(store.clone()));
    let (session, token) = created(&sessions).await;
    let before = text(&store, &key(&session)).await;
    for kind in [
        StoreErrorKind::Connection,
        StoreErrorKind::ReadOnly,
        StoreErrorKind::Timeout,
    ] {
        faults.fail_with(kind);
        let new = sessions.new_session();
        is_unavailable(new.create().await, kind);
        assert!(matches!(new.state(), SessionState::Absent { .. }));
        session.insert("b", 2).unwrap();
        is_unavailable(session.update().await, kind);
        is_unavailable(session.replace(json!({})).await, kind);
        is_unavailable(session.touch().await, kind);
        is_unavailable(session.reload().await, kind);
        is_unavailable(session.rotate().await, kind);
        is_unavailable(session.destroy().await, kind);
        is_unavailable(session.is_alive().await, kind);
        is_unavailable(sessions.destroy(&id(&session)).await, kind);
        is_unavailable(sessions.destroy_all("jo").await, kind);
        is_unavailable(sessions.list("jo").await, kind);
        is_unavailable(open(&sessions, &token).await, kind);
        settle().await;
        assert!(session.is_active());
        faults.heal();
        assert_eq!(text(&store, &key(&session)).await, before);
        assert_eq!(store.len(), 1);
    }
    session
        .update()
        .await
        .expect("the change was kept in the handle");
    assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
}

#[tokio::test]
async fn a_create_whose_reply_is_lost_leaves_nothing_and_can_be_repeated() {
    for owner in [None, Some("jo")] {
        let (store, faults) = (MemoryStore::new(), Faults::new());
        let sessions = sessions(faults.wrap(store.clone()));
        let session = sessions.new_session();
        owner
            .into_iter()
            .for_each(|owner| session.set_owner(owner).unwrap());
        faults.on(Step::Insert).lose_replies(1);
        is_unavailable(session.create().await, StoreErrorKind::Timeout);
        settle().await;
        assert!(store.is_empty());
        assert!(sessions.list("jo").await.unwrap().is_empty());
        let token = session.create().await.unwrap();
        assert!(open(&sessions, &token).await.is_ok());
        assert_eq!(store.len(), 1);
    }
}

#[tokio::test]
async fn an_update_whose_reply_is_lost_can_be_repeated() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (session, token) = created(&sessions).await;
    session.insert("b", 2).unwrap();
    faults.on(Step::CompareAndSet).lose_replies(1);
    is_unavailable(session.update().await, StoreErrorKind::Timeout);
    assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
    let other = open(&sessions, &token).await.unwrap();
    other.insert("c", 3).unwrap();
    other.update().await.unwrap();
    session.update().await.unwrap();
    assert_eq!(session.to_json(), json!({"a": 1, "b": 2, "c": 3}));
}

#[tokio::test]
async fn a_destroy_whose_reply_is_lost_can_be_repeated() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (session, token) = created(&sessions).await;
    faults.on(Step::Delete).lose_replies(1);
    is_unavailable(session.destroy().await, StoreErrorKind::Timeout);
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(session.destroy().await, Ok(false));
}

#[tokio::test]
async fn a_destroy_all_whose_reply_is_lost_can_be_repeated() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (_, token) = created(&sessions).await;
    faults.on(Step::IndexTombstoneAll).lose_replies(1);
    is_unavailable(sessions.destroy_all("jo").await, StoreErrorKind::Timeout);
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

/// Loses the reply of the next write after `lost` polls.
async fn rotate_losing(
    lost: usize,
    owner: Option<&str>,
) -> Option<(Sessions, Session, Token, MemoryStore)> {
    let (store, faults) = (MemoryStore::new(), Faults::new());
    let sessions = sessions(yielding(faults.wrap(store.clone())));
    let session = sessions.new_session();
    owner
        .into_iter()
        .for_each(|owner| session.set_owner(owner).unwrap());
    let token = session.create().await.unwrap();
    let rotation = session.clone();
    let task = tokio::spawn(async move { rotation.rotate().await });
    for _ in 0..lost {
        tokio::task::yield_now().await;
    }
    if task.is_finished() {
        return None;
    }
    faults.lose_replies(1);
    let outcome = task.await.unwrap();
    faults.heal();
    settle().await;
    if outcome.is_ok() {
        return None;
    }
    is_unavailable(outcome, StoreErrorKind::Timeout);
    Some((sessions, session, token, store))
}

#[tokio::test]
async fn r30_a_rotation_that_fails_leaves_the_old_session_or_none() {
    for owner in [None, Some("jo")] {
        let (mut left, mut lost) = (0, 0);
        while let Some(rotated) = rotate_losing(lost, owner).await {
            lost += 1;
            left += usize::from(is_left(rotated, owner.is_some()).await);
        }
        assert!(left > 0 && lost > left, "{left} of {lost}");
    }
}

/// Whether the old session works; there is no other in any case.
async fn is_left(
    (sessions, session, token, store): (Sessions, Session, Token, MemoryStore),
    owned: bool,
) -> bool {
    if open(&sessions, &token).await.is_err() {
        assert!(store.is_empty(), "the last reply was lost");
        assert!(listed(&sessions, "jo").await.is_empty());
        assert_eq!(session.rotate().await.unwrap_err(), SessionError::Gone);
        return false;
    }
    assert_eq!(store.len(), 1, "no successor is left over");
    session.update().await.unwrap();
    if owned {
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    } else {
        let new = session.rotate().await.expect("it can be repeated");
        assert!(open(&sessions, &new).await.is_ok());
    }
    true
}

#[tokio::test]
async fn r30_a_refused_rotation_leaves_the_old_session() {
    // The steps of the rotation: two entries, the record, the check, the decision, the deletion.
    for refused in 0..6 {
        let store = MemoryStore::new();
        let sessions = sessions(store.clone());
        let (session, token) = created(&sessions).await;
        let faults = Faults::new();
        let failing = self::sessions(faults.wrap(store.clone()));
        let other = open(&failing, &token).await.unwrap();
        let faults = faults.after(refused);
        faults.fail_next(StoreErrorKind::ReadOnly, 1);
        is_unavailable(other.rotate().await, StoreErrorKind::ReadOnly);
        settle().await;
        assert_eq!(store.len(), 1);
        assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
        assert!(open(&sessions, &token).await.is_ok());
        other.update().await.unwrap();
    }
}

#[tokio::test]
async fn r45_nothing_that_is_printed_shows_a_secret() {
    const SECRET: &str = "hush-hush-0123456789abcdef-hush-hush";
    let store = MemoryStore::new();
    let keyring = Keyring::hs256(SECRET).unwrap();
    let built = Sessions::builder(store.clone(), keyring.clone());
    let mut printed = format!("{built:?} {keyring:?} {store:?}");
    let sessions = built.max_size(400).build().unwrap();
    let session = sessions.new_session();
    session.insert("field", SECRET).unwrap();
    session.set_owner(SECRET).unwrap();
    let token = session
        .create()
        .claims(json!({"claim": SECRET}))
        .await
        .unwrap();
    let entries = sessions.list(SECRET).await.unwrap();
    let again = open(&sessions, &token).await.unwrap();
    let id = id(&session);
    printed += &format!("{sessions:?} {session:?} {token:?} {entries:?} {again:?} {id:?} {id}");
    printed += &format!(
        "{:?} {:?} {:?}",
        again.claims(),
        entries[0].data(),
        again.state()
    );
    printed += &format!("{:?}", record(&store, &key(&session)).await);
    again.insert("large", "x".repeat(400)).unwrap();
    printed += &refusals(&sessions, &again, &token, SECRET).await;
    let encoded = URL_SAFE_NO_PAD.encode(SECRET);
    for secret in [SECRET, token.as_str(), id.as_str(), &encoded] {
        assert!(!printed.contains(secret), "{printed}");
    }
}

/// The errors of operations that are given `secret`.
async fn refusals(sessions: &Sessions, session: &Session, token: &Token, secret: &str) -> String {
    let wrong = format!("{}x", token.as_str());
    let claims = json!({"jti": secret});
    let errors = [
        session.update().await.unwrap_err(),
        session.get::<u8>("field").unwrap_err(),
        session.insert("jwt", secret).unwrap_err(),
        session.merge(secret).unwrap_err(),
        sessions.open(&wrong).await.unwrap_err(),
        sessions
            .new_session()
            .create()
            .claims(claims)
            .await
            .unwrap_err(),
        sessions.list(&secret.repeat(20)).await.unwrap_err(),
    ];
    errors.map(|error| format!("{error} {error:?}")).concat()
}
