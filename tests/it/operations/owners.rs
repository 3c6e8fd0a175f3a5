//! Owners and their lists.

use std::sync::atomic::{AtomicUsize, Ordering};

use jwt_redis_session::store::{EntryState, SupersedeOutcome};

use super::hooks::before;
use super::lifetimes::{Clocked, IDLE};
use super::*;
use crate::support::seconds;

on_every_store!(
    destroy_all_ends_every_session_of_the_owner_alone,
    destroy_all_goes_on_behind_what_it_leaves,
    destroy_others_keeps_the_current_session,
    destroy_owned_leaves_the_session_of_another,
    a_list_is_complete_and_ordered,
    a_session_moves_to_the_owner_that_is_set,
    replace_and_reload_keep_the_stored_owner,
    an_invalid_owner_is_rejected_and_not_forgotten,
    keyspaces_never_see_each_other,
);

async fn destroy_all_ends_every_session_of_the_owner_alone(store: impl Store + Clone) {
    let sessions = sessions(store);
    let mut tokens = Vec::new();
    for _ in 0..40 {
        tokens.push(created(&sessions, Some("jo")).await.1);
    }
    let (_, other) = created(&sessions, Some("al")).await;
    assert_eq!(sessions.destroy_all("jo").await, Ok(40));
    for token in &tokens {
        assert_ended(&sessions, token).await;
    }
    assert!(open(&sessions, &other).await.is_ok());
    assert_eq!(sessions.destroy_all("jo").await, Ok(0));
    let (session, token) = created(&sessions, Some("jo")).await;
    assert!(open(&sessions, &token).await.is_ok(), "later sessions work");
    assert_eq!(session.destroy_all().await, Ok(1));
    assert_eq!(session.state(), SessionState::Gone);
}

/// More sessions than are read at once, of which some belong to another owner now.
async fn destroy_all_goes_on_behind_what_it_leaves(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let mut tokens = Vec::new();
    for number in 0..600 {
        let (session, token) = created(&sessions, Some("jo")).await;
        if number % 3 == 0 {
            session.set_owner("al").unwrap();
            session.update().await.unwrap();
        }
        tokens.push(token);
    }
    let kept = open(&sessions, &tokens[1]).await.unwrap();
    assert_eq!(sessions.count("jo").await, Ok(400));
    assert_eq!(kept.destroy_others().await, Ok(399));
    assert_eq!(sessions.count("jo").await, Ok(1));
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    for (number, token) in tokens.iter().enumerate() {
        let works = open(&sessions, token).await.is_ok();
        assert_eq!(works, number % 3 == 0, "{number}");
    }
    assert_eq!(sessions.count("al").await, Ok(200));
}

/// However many sessions there are, one page of ids and one batch of records are in memory.
#[tokio::test]
async fn destroy_all_reads_pages_and_batches() {
    let store = Counting::new(MemoryStore::new());
    let sessions = sessions(store.clone());
    for _ in 0..1_000 {
        created(&sessions, Some("jo")).await;
    }
    let before = store.calls();
    assert_eq!(sessions.destroy_all("jo").await, Ok(1_000));
    let (pages, batches) = (1_000 / 256 + 1, 3 * 16 + 15);
    assert_eq!(store.calls() - before, 1 + pages + 3 * batches);
}

/// A rotation that fails must not make a session active again that a `destroy_all` has not read yet.
#[tokio::test]
async fn a_rotation_that_fails_does_not_save_a_session_from_destroy_all() {
    let store = MemoryStore::new();
    let sessions = sessions(store.clone());
    let (session, token) = created(&sessions, Some("jo")).await;
    let old = id(&session);
    let inner = store.clone();
    // The rotation has made it a tombstone, and fails at its next step.
    let destroy_all = move |step| {
        let inner = inner.clone();
        async move {
            if step == Step::CompareAndDelete {
                inner.index_tombstone_all(INDEX, None, 1).await.unwrap();
            }
        }
    };
    let faults = Faults::new();
    faults
        .on(Step::CompareAndDelete)
        .fail_next(StoreErrorKind::Connection, 1);
    let rotating = super::sessions(before(faults.wrap(store.clone()), destroy_all));
    let rotated = rotating.get(&old).await.unwrap().rotate().await;
    assert_unavailable(rotated, StoreErrorKind::Connection);
    let state = store.index_get(INDEX, old.as_str()).await.unwrap();
    assert!(matches!(state, Some(EntryState::Deleting { .. })));
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_ended(&sessions, &token).await;
}

async fn destroy_others_keeps_the_current_session(store: impl Store + Clone) {
    let sessions = sessions(store.clone());
    let (kept, token) = created(&sessions, Some("jo")).await;
    let (_, other) = created(&sessions, Some("jo")).await;
    let (_, third) = created(&sessions, Some("jo")).await;
    assert_eq!(kept.destroy_others().await, Ok(2));
    assert!(open(&sessions, &token).await.is_ok());
    assert_ended(&sessions, &other).await;
    assert_ended(&sessions, &third).await;
    assert_eq!(kept.update().await, Ok(()));
    assert_eq!(listed(&sessions, "jo").await, [id(&kept)]);
    let (another, _) = created(&sessions, Some("jo")).await;
    assert_eq!(sessions.destroy_others("jo", &id(&another)).await, Ok(1));
    assert_eq!(listed(&sessions, "jo").await, [id(&another)]);
    // A rotation that crashed after its decision has left a tombstone of the current session.
    let (new, _) = created(&sessions, Some("jo")).await;
    let (old_id, new_id) = (id(&another), id(&new));
    let deciding = store.index_supersede(INDEX, old_id.as_str(), new_id.as_str(), 1);
    assert_eq!(deciding.await, Ok(SupersedeOutcome::Superseded));
    assert_eq!(another.destroy_others().await, Ok(1));
    assert!(record(&store, &key(&another)).await.is_some());
}

async fn destroy_owned_leaves_the_session_of_another(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions, Some("jo")).await;
    let (unowned, _) = created(&sessions, None).await;
    for (owner, id, destroyed) in [
        ("al", id(&session), false),
        ("jo", id(&unowned), false),
        ("jo", id(&session), true),
        ("jo", id(&session), false),
    ] {
        assert_eq!(sessions.destroy_owned(owner, &id).await, Ok(destroyed));
    }
    assert_ended(&sessions, &token).await;
    assert_eq!(unowned.is_alive().await, Ok(true));
    assert_eq!(unowned.list().await.unwrap_err(), SessionError::NoOwner);
}

async fn a_list_is_complete_and_ordered(store: impl Store + Clone) {
    let clock = ManualClock::at(1_700_000_000);
    let sessions = builder(store).clock(clock.clone()).build().unwrap();
    let mut ids = Vec::new();
    for _ in 0..40 {
        ids.push(id(&created(&sessions, Some("jo")).await.0));
        clock.advance(Duration::from_secs(1));
    }
    let entries = sessions.list("jo").with_data().await.unwrap();
    assert_eq!(entries.len(), ids.len());
    for (created, (entry, id)) in (1_700_000_000..).zip(entries.iter().zip(&ids)) {
        assert_eq!(entry.id(), id);
        assert_eq!(seconds(entry.created_at()), Some(created));
        assert!(entry.expires_at().is_some());
        assert_eq!(entry.data().unwrap().get("a"), Ok(Some(1)));
    }
}

async fn a_session_moves_to_the_owner_that_is_set(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions, Some("jo")).await;
    for owner in [Some("al"), Some("jo"), None, Some("al")] {
        match owner {
            Some(owner) => session.set_owner(owner).unwrap(),
            None => session.clear_owner(),
        }
        session.update().await.unwrap();
        for name in ["jo", "al"] {
            let mine = owner == Some(name);
            assert_eq!(listed(&sessions, name).await.len(), usize::from(mine));
            if !mine {
                assert_eq!(sessions.destroy_all(name).await, Ok(0));
            }
        }
        let opened = open(&sessions, &token).await.unwrap();
        assert_eq!(opened.owner().as_deref(), owner);
    }
    session.set_owner("jo").unwrap();
    let token = session.rotate().await.unwrap();
    assert!(listed(&sessions, "al").await.is_empty());
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert_ended(&sessions, &token).await;
}

async fn replace_and_reload_keep_the_stored_owner(store: impl Store + Clone) {
    let sessions = sessions(store);
    let (session, token) = created(&sessions, Some("a")).await;
    session.set_owner("b").unwrap();
    for operation in ["replace", "update_with"] {
        run(operation, &session).await.unwrap();
        let stored = open(&sessions, &token).await.unwrap();
        assert_eq!(stored.owner().as_deref(), Some("a"));
        assert_eq!(session.owner().as_deref(), Some("b"), "still pending");
    }
    session.update().await.unwrap();
    session.set_owner("c").unwrap();
    session.reload().await.unwrap();
    assert_eq!(session.owner().as_deref(), Some("b"), "dropped");
    assert_eq!(listed(&sessions, "b").await, [id(&session)]);
}

async fn an_invalid_owner_is_rejected_and_not_forgotten(store: impl Store + Clone) {
    let store = Counting::new(store);
    let sessions = sessions(store.clone());
    let invalid = SessionError::InvalidOwner;
    for owner in [String::new(), "x".repeat(513)] {
        let session = sessions.new_session();
        assert_eq!(session.set_owner(&owner), Err(invalid.clone()));
        assert_eq!(session.create().await.unwrap_err(), invalid);
        assert_eq!(sessions.list(&owner).await.unwrap_err(), invalid);
        assert_eq!(sessions.destroy_all(&owner).await, Err(invalid.clone()));
        let id = SessionId::random();
        let owned = sessions.destroy_owned(&owner, &id).await;
        assert_eq!(owned, Err(invalid.clone()));
    }
    assert_eq!(store.calls(), 0);
    created(&sessions, Some(&"x".repeat(512))).await;
}

async fn keyspaces_never_see_each_other(store: impl Store + Clone) {
    let [a, b] =
        ["a:", "b:"].map(|prefix| builder(store.clone()).keyspace(prefix).build().unwrap());
    let (session, token) = created(&a, Some("jo")).await;
    assert_ended(&b, &token).await;
    assert_eq!(b.destroy(&id(&session)).await, Ok(false));
    assert_eq!(b.destroy_all("jo").await, Ok(0));
    assert!(listed(&b, "jo").await.is_empty());
    assert!(open(&a, &token).await.is_ok());
}

#[tokio::test]
async fn a_session_that_moves_during_two_destroy_alls_is_active() {
    let store = MemoryStore::new();
    let (inner, left) = (store.clone(), Arc::new(AtomicUsize::new(2)));
    // Before the first check of the entry, and again after it was reactivated.
    let destroy_all = move |step| {
        let (inner, left) = (inner.clone(), Arc::clone(&left));
        async move {
            let is_due = matches!(step, Step::IndexGet | Step::Load);
            if is_due && left.load(Ordering::SeqCst) > 0 {
                inner.index_tombstone_all(INDEX, None, 1).await.unwrap();
                let tombstones = entries(&inner, INDEX).await.len();
                left.fetch_sub(tombstones, Ordering::SeqCst);
            }
        }
    };
    let (session, _) = created(&sessions(before(store.clone(), destroy_all)), Some("al")).await;
    session.set_owner("jo").unwrap();
    session.update().await.unwrap();
    let entries = entries(&store, INDEX).await;
    assert!(matches!(entries[0].state, EntryState::Active { .. }));
}

#[tokio::test]
async fn destroy_all_deletes_a_record_that_was_inserted_meanwhile() {
    const ID: &str = "inserted-meanwhile";
    let store = MemoryStore::new();
    let entry = NewEntry::new(INDEX, ID, 1, Duration::from_secs(60));
    let put = store.index_put(entry, PutMode::KeepTombstone).await;
    put.unwrap();
    let inner = store.clone();
    // By a creation that crashes before it checks its entry.
    let create = move |step| {
        let inner = inner.clone();
        async move {
            if step == Step::Delete {
                let id = SessionId::parse(ID).unwrap();
                insert(&inner, &id, r#"{"_jrs":{"owner":"jo"}}"#).await;
            }
        }
    };
    let sessions = sessions(before(store.clone(), create));
    assert_eq!(sessions.destroy_all("jo").await, Ok(1));
    assert!(store.is_empty());
}

#[tokio::test]
async fn a_session_that_comes_back_while_its_entry_is_pruned_stays_listed() {
    let test = Clocked::new(|builder| builder);
    let (moved, token) = created(&test.sessions, Some("a")).await;
    let (stays, _) = created(&test.sessions, Some("a")).await;
    moved.set_owner("b").unwrap();
    moved.update().await.unwrap();
    for _ in 0..4 {
        test.advance(1200);
        moved.update().await.unwrap();
        stays.update().await.unwrap();
    }
    // It comes back after the list has read it, before its entry is removed.
    let back = moved.clone();
    let come_back = move |step| {
        let back = back.clone();
        async move {
            if step == Step::IndexRemove {
                back.set_owner("a").unwrap();
                back.update().await.unwrap();
            }
        }
    };
    let listing = builder(before(test.store.clone(), come_back)).clock(test.clock.clone());
    let listing = listing.max_age(IDLE).build().unwrap();
    assert_eq!(listed(&listing, "a").await, [id(&stays)]);
    assert_eq!(listed(&test.sessions, "a").await.len(), 2);
    assert_eq!(test.sessions.destroy_all("a").await, Ok(2));
    assert_ended(&test.sessions, &token).await;
}
