//! A rotation with a grace beside the other features of a session.

use jwt_redis_session::config::Evict::{LeastRecentlyUsed, Refuse};
use jwt_redis_session::session::Device;

use super::grace::GRACE;
use super::*;

on_every_store!(
    a_handle_from_before_is_authenticated_again,
    the_metadata_move_with_the_session,
    a_handle_from_before_finds_its_session_in_lists,
    tickets_follow_for_the_grace,
    a_limit_counts_a_rotated_session_once,
);

/// A session of `jo` that was rotated, a handle from before, and the tokens.
async fn rotated(sessions: &Sessions) -> (Session, Session, [Token; 2]) {
    let (session, old) = created(sessions, Some("jo")).await;
    let stale = open(sessions, &old).await.unwrap();
    let new = session.rotate_with_grace(GRACE).await.unwrap();
    (session, stale, [old, new])
}

async fn a_handle_from_before_is_authenticated_again(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (_, stale, tokens) = rotated(&sessions).await;
    stale.insert("b", 2).unwrap();
    let newest = stale.reauthenticated().await.unwrap();
    assert!(stale.is_authenticated_within(Duration::from_secs(60)));
    // A token that was stolen before gains nothing.
    for token in &tokens {
        assert_ended(&sessions, token).await;
    }
    let opened = open(&sessions, &newest).await.unwrap();
    assert_eq!(opened.to_json(), json!({"a": 1, "b": 2}));
    assert_eq!(opened.authenticated_at(), stale.authenticated_at());
    assert_eq!(listed(&sessions, "jo").await, [id(&stale)]);

    // Not if it was given to another owner meanwhile.
    let (session, stale, _) = rotated(&sessions).await;
    session.set_owner("al").unwrap();
    session.update().await.unwrap();
    let outcome = stale.reauthenticated().await;
    assert_eq!(outcome, Err(SessionError::Conflict));
    assert!(session.is_alive().await.unwrap());
}

async fn the_metadata_move_with_the_session(store: impl Store + Clone) {
    let sessions = builder(store).auth_time_claim().build().unwrap();
    let session = sessions.new_session();
    let device = Device {
        name: Some("Jo's phone".to_owned()),
        ..Device::default()
    };
    session.set_device(device.clone());
    session.set_max_age(Duration::from_secs(3600)).unwrap();
    let old = session.login("jo").await.unwrap();
    let authenticated = session.authenticated_at();
    assert!(authenticated.is_some());
    let second = open(&sessions, &old).await.unwrap();
    session.rotate_with_grace(GRACE).await.unwrap();
    // The second one gets another token for the same session.
    second.rotate_with_grace(GRACE).await.unwrap();
    assert_eq!(id(&second), id(&session));
    for handle in [&session, &second, &open(&sessions, &old).await.unwrap()] {
        assert_eq!(handle.device(), Some(device.clone()));
        assert_eq!(handle.authenticated_at(), authenticated);
        assert_eq!(handle.max_age(), Some(Duration::from_secs(3600)));
        assert_eq!(handle.created_at(), session.created_at());
        let auth_time = handle.claims().unwrap().get::<u64>("auth_time").unwrap();
        let since = authenticated.unwrap().duration_since(std::time::UNIX_EPOCH);
        assert_eq!(auth_time, Some(since.unwrap().as_secs()));
    }
}

async fn a_handle_from_before_finds_its_session_in_lists(store: impl Store + Clone) {
    let sessions = sessions(store);
    created(&sessions, Some("jo")).await;
    let (session, stale, [old, _]) = rotated(&sessions).await;
    let opened = open(&sessions, &old).await.unwrap();
    for handle in [&session, &stale, &opened] {
        let list = handle.list();
        let mut stream = list.clone().stream();
        let mut streamed = Vec::new();
        while let Some(entry) = stream.next().await {
            streamed.push(entry.unwrap());
        }
        let page = list.page(None, 9).await.unwrap().entries;
        for entries in [list.await.unwrap(), page, streamed] {
            assert_eq!(entries.len(), 2);
            let current = entries.iter().filter(|entry| entry.is_current());
            let current: Vec<_> = current.map(|entry| entry.id().clone()).collect();
            assert_eq!(current, [id(&session)]);
        }
    }
}

async fn tickets_follow_for_the_grace(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, old) = created(&sessions, Some("jo")).await;
    let stale = open(&sessions, &old).await.unwrap();
    let mut tickets = vec![stale.ticket().await.unwrap()];
    session.rotate_with_grace(GRACE).await.unwrap();
    for handle in [&stale, &session, &open(&sessions, &old).await.unwrap()] {
        tickets.push(handle.ticket().await.unwrap());
    }
    for ticket in &tickets {
        let opened = sessions.open_ticket(ticket.as_str()).await.unwrap();
        assert_eq!(id(&opened), id(&session));
        assert_eq!(opened.owner().as_deref(), Some("jo"));
    }
    let ticket = stale.ticket().await.unwrap();
    assert_eq!(session.destroy().await, Ok(true));
    let opened = sessions.open_ticket(ticket.as_str()).await;
    assert_eq!(opened.err(), Some(UNKNOWN));
}

async fn a_limit_counts_a_rotated_session_once(store: impl Store + Clone) {
    for evict in [LeastRecentlyUsed, Refuse] {
        let clock = ManualClock::at(1_700_000_000);
        let limited = builder(store.clone()).max_sessions(2, evict);
        let sessions = limited.clock(clock.clone()).build().unwrap();
        let (_, stale, [old, _]) = rotated(&sessions).await;
        // The third handle of the same session, which puts the old id into the index for a moment.
        stale.insert("b", 2).unwrap();
        stale.update().await.unwrap();
        stale.touch().await.unwrap();
        let third = open(&sessions, &old).await.unwrap();
        third.rotate_with_grace(GRACE).await.unwrap();
        clock.advance(Duration::from_secs(1));
        let other = sessions.new_session();
        other.login("jo").await.unwrap();
        assert!(other.evicted().is_empty());
        assert!(open(&sessions, &old).await.is_ok());
        assert_eq!(sessions.count("jo").await, Ok(2));
        let more = sessions.new_session();
        if evict == Refuse {
            let refused = more.login("jo").await;
            assert!(matches!(refused, Err(SessionError::TooManySessions { .. })));
            assert_eq!(sessions.destroy_all("jo").await, Ok(2));
            continue;
        }
        // Its old token ends with it.
        clock.advance(Duration::from_secs(1));
        more.login("jo").await.unwrap();
        assert_eq!(more.evicted(), [id(&third)]);
        assert_ended(&sessions, &old).await;
        assert_eq!(stale.update().await, Err(SessionError::Gone));
        assert_eq!(sessions.destroy_all("jo").await, Ok(2));
    }
}
