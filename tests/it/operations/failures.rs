//! Stores that fail, and callers that go away.

use super::hooks::{before, yielding};
use super::*;
use crate::support::{alive_tasks, eventually};

on_every_store!(a_dropped_operation_of_several_steps_runs_to_its_end);

#[tokio::test]
async fn an_outage_is_an_error_of_every_operation_and_changes_nothing() {
    let (store, faults) = (MemoryStore::new(), Faults::new());
    let sessions = sessions(faults.wrap(store.clone()));
    let (session, token) = created(&sessions, Some("jo")).await;
    let before = text(&store, &key(&session)).await;
    session.insert("b", 2).unwrap();
    for kind in [StoreErrorKind::Connection, StoreErrorKind::Timeout] {
        faults.fail_with(kind);
        let new = sessions.new_session();
        assert_unavailable(new.create().await, kind);
        assert!(matches!(new.state(), SessionState::Absent { .. }));
        for operation in operations().filter(|name| *name != "keep_alive") {
            assert_unavailable(run(operation, &session).await, kind);
        }
        assert_unavailable(session.login("jo").await, kind);
        assert_unavailable(session.is_alive().await, kind);
        assert_unavailable(open(&sessions, &token).await, kind);
        assert_unavailable(sessions.get(&id(&session)).await, kind);
        assert_unavailable(sessions.destroy(&id(&session)).await, kind);
        assert_unavailable(sessions.destroy_all("jo").await, kind);
        assert_unavailable(sessions.list("jo").await, kind);
        settle().await;
        assert!(session.is_active());
        faults.heal();
        assert_eq!(text(&store, &key(&session)).await, before);
        assert_eq!(store.len(), 1);
    }
    session.update().await.expect("the change was kept");
    assert!(open(&sessions, &token).await.unwrap().contains_key("b"));
}

#[tokio::test]
async fn a_create_whose_reply_is_lost_leaves_nothing_and_can_be_repeated() {
    let chosen = SessionId::parse("chosen-by-the-caller").unwrap();
    for (id, owner) in [
        (None, None),
        (None, Some("jo")),
        (Some(&chosen), None),
        (Some(&chosen), Some("jo")),
    ] {
        let (store, faults) = (MemoryStore::new(), Faults::new());
        let sessions = sessions(faults.wrap(store.clone()));
        let session = prepared(&sessions, owner);
        let create = || match id {
            Some(id) => session.create().id(id.clone()),
            None => session.create(),
        };
        faults.on(Step::Insert).lose_replies(1);
        assert_unavailable(create().await, StoreErrorKind::Timeout);
        settle().await;
        assert!(store.is_empty());
        assert!(listed(&sessions, "jo").await.is_empty());
        let token = create().await.unwrap();
        assert!(open(&sessions, &token).await.is_ok());
        assert_eq!(listed(&sessions, "jo").await.len(), owner.iter().count());
    }
}

#[tokio::test]
async fn an_operation_whose_reply_is_lost_can_be_repeated() {
    for (step, operation, repeated) in [
        (Step::CompareAndSet, "update", Ok(())),
        (Step::SetTtl, "touch", Ok(())),
        (Step::Delete, "destroy", Ok(())),
        (Step::IndexTombstoneAll, "destroy_all", Ok(())),
        (Step::CompareAndDelete, "rotate", Err(SessionError::Gone)),
    ] {
        let faults = Faults::new();
        let sessions = sessions(faults.wrap(MemoryStore::new()));
        let (session, token) = created(&sessions, Some("jo")).await;
        session.insert("b", 2).unwrap();
        faults.on(step).lose_replies(1);
        let lost = run(operation, &session).await;
        assert_unavailable(lost, StoreErrorKind::Timeout);
        if operation == "update" {
            let other = open(&sessions, &token).await.unwrap();
            other.insert("c", 3).unwrap();
            other.update().await.unwrap();
        }
        assert_eq!(run(operation, &session).await, repeated, "{operation}");
        let merged = json!({"a": 1, "b": 2, "c": 3});
        match operation {
            "update" => assert_eq!(session.to_json(), merged),
            "touch" => assert!(open(&sessions, &token).await.is_ok()),
            _ => {
                assert_ended(&sessions, &token).await;
                assert!(listed(&sessions, "jo").await.is_empty());
            }
        }
    }
}

#[tokio::test]
async fn a_rotation_or_login_that_fails_leaves_the_old_session() {
    // The steps: two entries, the record, the check, the decision, the deletion.
    for failing in 0..6 {
        for login in [false, true] {
            let store = MemoryStore::new();
            let sessions = sessions(store.clone());
            let (session, token) = created(&sessions, Some("jo")).await;
            let faults = Faults::new();
            let other = super::sessions(faults.wrap(store.clone()));
            let other = open(&other, &token).await.unwrap();
            let failing = faults.after(failing);
            failing.fail_next(StoreErrorKind::ReadOnly, 1);
            let moved = match login {
                true => other.login("jo").await,
                false => other.rotate().await,
            };
            assert_unavailable(moved, StoreErrorKind::ReadOnly);
            settle().await;
            assert_eq!(store.len(), 1, "no new session is left");
            assert_eq!(listed(&sessions, "jo").await, [id(&session)]);
            assert!(open(&sessions, &token).await.is_ok());
            other.login("jo").await.expect("it can be repeated");
            assert_ended(&sessions, &token).await;
        }
    }
}

#[tokio::test]
async fn a_destroy_all_that_meets_every_attempt_revokes_the_new_session() {
    let store = MemoryStore::new();
    let (_, token) = created(&sessions(store.clone()), None).await;
    let inner = store.clone();
    let destroy_all = move |step| {
        let inner = inner.clone();
        async move {
            if step == Step::IndexGet {
                inner.index_tombstone_all(INDEX, None, 1).await.unwrap();
                assert_eq!(entries(&inner, INDEX).await.len(), 1);
            }
        }
    };
    let sessions = sessions(before(store.clone(), destroy_all));
    let session = prepared(&sessions, Some("jo"));
    assert_eq!(session.create().await.unwrap_err(), SessionError::Revoked);
    let guest = open(&sessions, &token).await.unwrap();
    assert_eq!(guest.login("jo").await, Err(SessionError::Revoked));
    assert_eq!(store.len(), 1, "only the guest");
    assert!(open(&sessions, &token).await.is_ok());
}

/// Polls `future` up to `polls` times and drops it, then waits for the tasks that it has started.
/// Returns whether it was ready.
async fn drop_after<F: Future>(polls: usize, future: F) -> bool {
    let before = alive_tasks();
    let mut future = Box::pin(future);
    let mut is_ready = false;
    for _ in 0..polls {
        is_ready |= futures_util::poll!(&mut future).is_ready();
        if is_ready {
            break;
        }
        tokio::task::yield_now().await;
    }
    drop(future);
    let ended = async || (alive_tasks() <= before).then_some(());
    eventually("the started tasks end", ended).await;
    is_ready
}

/// Dropped before the first poll, an operation has not begun; later, it runs to its end.
async fn a_dropped_operation_of_several_steps_runs_to_its_end(store: impl Store + Clone) {
    let sessions = sessions(yielding(store));
    for operation in ["create", "rotate", "update", "destroy_all"] {
        for polls in 0.. {
            let session = prepared(&sessions, Some("jo"));
            let done = if operation == "create" {
                drop_after(polls, session.create().into_future()).await
            } else {
                session.create().await.unwrap();
                // A change of owner takes several steps.
                let owner = if operation == "update" { "al" } else { "jo" };
                session.set_owner(owner).unwrap();
                drop_after(polls, run(operation, &session)).await
            };
            let (owner, count) = match operation {
                "create" => ("jo", usize::from(polls > 0)),
                "update" if polls > 0 => ("al", 1),
                "destroy_all" => ("jo", usize::from(polls == 0)),
                _ => ("jo", 1),
            };
            let list = listed(&sessions, owner).await;
            assert_eq!(list.len(), count, "{operation}, {polls} polls");
            if let [only] = &list[..] {
                assert_eq!(*only, id(&session));
                assert!(sessions.get(only).await.is_ok());
            }
            assert_eq!(sessions.destroy_all(owner).await, Ok(list.len()));
            if done {
                assert!(polls > 3, "too few polls to have been dropped everywhere");
                break;
            }
        }
    }
}
