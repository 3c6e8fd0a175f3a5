//! Ending sessions, and what works afterwards.

use super::*;

on_every_store!(
    after_the_end_every_operation_reports_it,
    destroy_reports_whether_there_was_a_session,
    a_spoiled_record_is_corrupt_and_can_be_destroyed,
);

async fn after_the_end_every_operation_reports_it(store: impl Store + Clone) {
    let (sessions, other) = (sessions(store.clone()), sessions(store.clone()));
    for operation in NOTICE_THE_END.split(' ') {
        let (session, token) = created(&sessions, Some("jo")).await;
        let handle = open(&other, &token).await.unwrap();
        let key = key(&handle);
        handle.insert("b", 2).unwrap();
        assert_eq!(session.destroy().await, Ok(true));
        assert!(handle.is_active(), "the handle has not seen the end");
        let outcome = run(operation, &handle).await;
        assert_eq!(outcome, Err(SessionError::Gone), "{operation}");
        assert_eq!(handle.state(), SessionState::Gone);
        assert_eq!(handle.id(), None);
        assert!(record(&store, &key).await.is_none());
        assert!(listed(&other, "jo").await.is_empty());
        let unknown = other.from_token(token.as_str()).await;
        assert_eq!(unknown.claims().map(drop), None);
        assert_eq!(unknown.update().await, Err(UNKNOWN));
    }
}

async fn destroy_reports_whether_there_was_a_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions, Some("jo")).await;
    let other = open(&sessions, &token).await.unwrap();
    let id = id(&session);
    assert_eq!(other.is_alive().await, Ok(true));
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(session.destroy().await, Ok(false));
    assert_eq!(other.is_alive().await, Ok(false));
    assert_eq!(other.state(), SessionState::Gone);
    assert_eq!(other.logout().await, Ok(false));
    assert_eq!(sessions.new_session().is_alive().await, Ok(false));
    assert_eq!(sessions.destroy(&id).await, Ok(false));
    let unknown = sessions.from_token(token.as_str()).await;
    assert_eq!(unknown.destroy().await, Ok(false));
}

async fn a_spoiled_record_is_corrupt_and_can_be_destroyed(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let corrupt = SessionState::Rejected(TokenRejection::Corrupt);
    for is_record in [true, false] {
        for operation in ["update", "reload", "rotate"] {
            let (session, token) = created(&sessions, Some("jo")).await;
            let key = key(&session);
            spoil(&store, &session, is_record).await;
            let outcome = run(operation, &session).await;
            assert_eq!(outcome, Err(SessionError::Corrupt), "{operation}");
            assert_eq!(session.state(), corrupt, "the handle that found it");
            let opened = sessions.from_token(token.as_str()).await;
            assert_eq!(opened.state(), corrupt);
            // A store may keep data of another type.
            if is_record {
                let found_by = [session, opened];
                let handle = &found_by[usize::from(operation != "update")];
                assert_eq!(handle.destroy().await, Ok(true), "{operation}");
                assert!(record(&store, &key).await.is_none());
                assert_ended(&sessions, &token).await;
            }
        }
    }
}

#[tokio::test]
async fn sessions_that_are_too_large_to_open_can_be_ended() {
    let store = MemoryStore::new();
    let large = sessions(store.clone());
    let small = builder(store.clone()).max_size(10).build().unwrap();
    for owned in [false, true] {
        let (session, token) = created(&large, Some("jo")).await;
        let rejected = small.open(token.as_str()).await.unwrap_err();
        assert_eq!(rejected, SessionError::Rejected(TokenRejection::Corrupt));
        let id = id(&session);
        let ended = match owned {
            true => small.destroy_owned("jo", &id).await,
            false => small.destroy(&id).await,
        };
        assert_eq!(ended, Ok(true));
        assert_ended(&large, &token).await;
    }
    created(&large, Some("jo")).await;
    assert_eq!(small.destroy_all("jo").await, Ok(1));
}

#[tokio::test]
async fn only_a_destroy_by_id_deletes_a_record_that_is_not_a_session() {
    let store = MemoryStore::new();
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions, Some("jo")).await;
    let id = id(&session);
    spoil(&store, &session, true).await;
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let owned = sessions.destroy_owned("jo", &id).await;
    assert_eq!(owned, Err(SessionError::Corrupt));
    assert_eq!(store.len(), 1, "it may be data of another application");
    assert_eq!(sessions.destroy(&id).await, Ok(true));
    assert!(store.is_empty());
    let (session, _) = created(&sessions, None).await;
    spoil(&store, &session, false).await;
    let other_type = sessions.destroy(&super::id(&session)).await;
    assert_eq!(other_type, Err(SessionError::Corrupt));
}

#[tokio::test]
async fn a_logout_during_an_outage_can_be_repeated_on_the_same_handle() {
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (_, token) = created(&sessions, Some("jo")).await;
    faults.fail_with(StoreErrorKind::Connection);
    let session = sessions.from_token(token.as_str()).await;
    assert!(matches!(session.state(), SessionState::Unavailable(_)));
    assert_unavailable(session.destroy().await, StoreErrorKind::Connection);
    faults.heal();
    assert_eq!(session.destroy().await, Ok(true));
    assert_eq!(session.destroy().await, Ok(false));
    assert!(listed(&sessions, "jo").await.is_empty());
}
