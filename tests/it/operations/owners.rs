//! Owners and their lists.

use super::*;
use crate::support::seconds;

on_every_store!(
    r31_destroy_all_ends_every_session_of_the_owner_alone,
    r31_destroy_others_keeps_the_current_one,
    r31_destroy_others_keeps_the_current_one_even_after_a_failed_rotation,
    r31_destroy_owned_refuses_anothers_session,
    r31_the_list_is_ordered_and_complete,
    set_owner_moves_an_active_session,
    clear_owner_takes_it_off_the_list,
    a_stale_handle_never_hands_a_session_back,
    an_invalid_owner_is_refused_at_once_and_never_forgotten,
);

async fn r31_destroy_all_ends_every_session_of_the_owner_alone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let mut tokens = Vec::new();
    for _ in 0..300 {
        tokens.push(created(&sessions).await.1);
    }
    let (_, other) = created_for(&sessions, "al").await;
    assert_eq!(sessions.destroy_all("jo").await, Ok(300));
    for token in &tokens {
        assert_eq!(refusal(&sessions, token).await, Some(UNKNOWN));
    }
    assert!(open(&sessions, &other).await.is_ok());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let (session, token) = created(&sessions).await;
    assert!(open(&sessions, &token).await.is_ok(), "later sessions work");
    assert_eq!(session.destroy_all().await, Ok(1));
    assert_eq!(session.state(), SessionState::Gone);
}

async fn r31_destroy_others_keeps_the_current_one(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (kept, token) = created(&sessions).await;
    let (_, other) = created(&sessions).await;
    let (_, third) = created(&sessions).await;
    assert_eq!(kept.destroy_others().await, Ok(2));
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(refusal(&sessions, &other).await, Some(UNKNOWN));
    assert_eq!(refusal(&sessions, &third).await, Some(UNKNOWN));
    assert_eq!(kept.update().await, Ok(()));
    assert_eq!(listed(&sessions, "jo").await, [id(&kept)]);
    let (another, _) = created(&sessions).await;
    assert_eq!(sessions.destroy_others("jo", &id(&another)).await, Ok(1));
    assert_eq!(listed(&sessions, "jo").await, [id(&another)]);
}

async fn r31_destroy_others_keeps_the_current_one_even_after_a_failed_rotation(
    store: impl Store + Clone,
) {
    let meddling = Meddling::new(store, 0);
    let sessions = sessions(meddling.clone());
    let (session, token) = created(&sessions).await;
    let (_, other) = created(&sessions).await;
    meddling.set(usize::MAX);
    assert_eq!(session.rotate().await.unwrap_err(), SessionError::Conflict);
    meddling.set(0);
    assert_eq!(session.destroy_others().await, Ok(1));
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(refusal(&sessions, &other).await, Some(UNKNOWN));
}

async fn r31_destroy_owned_refuses_anothers_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    assert_eq!(sessions.destroy_owned("al", &id(&session)).await, Ok(false));
    assert!(open(&sessions, &token).await.is_ok());
    assert_eq!(sessions.destroy_owned("jo", &id(&session)).await, Ok(true));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
    assert_eq!(sessions.destroy_owned("jo", &id(&session)).await, Ok(false));
    let unowned = sessions.new_session();
    unowned.create().await.unwrap();
    assert_eq!(sessions.destroy_owned("jo", &id(&unowned)).await, Ok(false));
    assert_eq!(unowned.list().await.unwrap_err(), SessionError::NoOwner);
}

async fn r31_the_list_is_ordered_and_complete(store: impl Store + Clone) {
    let clock = jwt_redis_session::config::ManualClock::at(1_700_000_000);
    let sessions = builder(store).clock(clock.clone()).build().unwrap();
    let mut ids = Vec::new();
    for number in 0..200 {
        let session = sessions.new_session();
        session.insert("number", number).unwrap();
        session.set_owner("jo").unwrap();
        session.create().await.unwrap();
        ids.push(id(&session));
        clock.advance(Duration::from_secs(1));
    }
    let entries = sessions.list("jo").await.unwrap();
    for (number, (entry, id)) in entries.iter().zip(&ids).enumerate() {
        assert_eq!(entry.id(), id);
        assert_eq!(
            seconds(entry.created_at()),
            Some(1_700_000_000 + number as i64)
        );
        assert!(entry.expires_at().is_some());
        assert_eq!(entry.data().get("number").unwrap(), Some(number));
    }
    assert_eq!(entries.len(), ids.len());
}

async fn set_owner_moves_an_active_session(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    session.set_owner("al").unwrap();
    session.update().await.unwrap();
    assert!(listed(&sessions, "jo").await.is_empty());
    assert_eq!(listed(&sessions, "al").await, [id(&session)]);
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let again = open(&sessions, &token).await.unwrap();
    assert_eq!(again.owner().as_deref(), Some("al"));
    again.set_owner("jo").unwrap();
    again.update().await.unwrap();
    assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
    assert_eq!(sessions.destroy_all("al").await, Ok(0));
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn clear_owner_takes_it_off_the_list(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    session.clear_owner();
    session.update().await.unwrap();
    assert_eq!(session.owner(), None);
    assert!(listed(&sessions, "jo").await.is_empty());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let again = open(&sessions, &token).await.unwrap();
    again.set_owner("jo").unwrap();
    let token = again.rotate().await.unwrap();
    assert_eq!(listed(&sessions, "jo").await, [id(&again)]);
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_eq!(refusal(&sessions, &token).await, Some(UNKNOWN));
}

async fn a_stale_handle_never_hands_a_session_back(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions).await;
    let stale = open(&sessions, &token).await.unwrap();
    session.set_owner("al").unwrap();
    session.update().await.unwrap();
    stale.touch().await.unwrap();
    stale.insert("b", 2).unwrap();
    stale.update().await.unwrap();
    assert_eq!(stale.owner().as_deref(), Some("al"));
    assert!(listed(&sessions, "jo").await.is_empty());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    assert_eq!(listed(&sessions, "al").await, [id(&session)]);
    assert!(open(&sessions, &token).await.is_ok());
}

async fn an_invalid_owner_is_refused_at_once_and_never_forgotten(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    for owner in [String::new(), "x".repeat(513)] {
        let session = sessions.new_session();
        assert_eq!(session.set_owner(&owner), Err(SessionError::InvalidOwner));
        assert_eq!(
            session.create().await.unwrap_err(),
            SessionError::InvalidOwner
        );
        assert_eq!(
            sessions.list(&owner).await.unwrap_err(),
            SessionError::InvalidOwner
        );
        assert_eq!(
            sessions.destroy_all(&owner).await,
            Err(SessionError::InvalidOwner)
        );
    }
    assert_eq!(store.calls(), 0);
    created_for(&sessions, &"x".repeat(512)).await;
}
