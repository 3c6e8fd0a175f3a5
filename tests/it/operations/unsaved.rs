//! Warnings about changes that a handle drops without storing them.

use jwt_redis_session::SessionData;

use super::*;
use crate::log::Log;

/// Returns the logged warnings.
fn warnings(log: &Log) -> Vec<String> {
    let text = log.text();
    let lines = text.lines().filter(|line| line.contains(" WARN "));
    lines.map(str::to_owned).collect()
}

#[tokio::test]
async fn changes_dropped_with_the_last_handle_are_reported_once() {
    let (log, _guard) = Log::record();
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions, Some("jo")).await;
    assert!(!session.is_modified());
    session.insert("card", "4111").unwrap();
    session.remove("a");
    assert!(session.is_modified());
    let clone = session.clone();
    drop(session);
    assert!(warnings(&log).is_empty(), "a clone may still store it");
    drop(clone);
    let lines = warnings(&log);
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("fields=2"), "{lines:?}");
    assert!(!lines[0].contains("card") && !lines[0].contains("4111"));
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    assert!(session.is_modified());
    drop(session);
    assert!(warnings(&log)[1].contains("owner=true"));
}

#[tokio::test]
async fn changes_that_were_stored_destroyed_or_failed_are_not_reported() {
    let (log, _guard) = Log::record();
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (session, token) = created(&sessions, Some("jo")).await;
    session.insert("b", 1).unwrap();
    session.update().await.unwrap();
    assert!(!session.is_modified());
    drop(session);
    let session = open(&sessions, &token).await.unwrap();
    session.merge(json!({"a": 1})).unwrap();
    assert!(!session.is_modified(), "the same value");
    session.insert("b", 2).unwrap();
    faults.fail_next(StoreErrorKind::Timeout, 1);
    assert!(session.update().await.is_err());
    assert!(session.is_modified());
    drop(session);
    let session = open(&sessions, &token).await.unwrap();
    session.insert("b", 3).unwrap();
    session.destroy().await.unwrap();
    drop(session);
    assert!(warnings(&log).is_empty());
}

/// The closure returns `Option<SessionError>`: `None` is an error of the application.
#[tokio::test]
async fn an_error_of_the_closure_changes_nothing_and_is_not_logged() {
    let (log, _guard) = Log::record();
    let store = MemoryStore::new();
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions, Some("jo")).await;
    let before = text(&store, &key(&session)).await;
    for error in [None, Some(SessionError::Conflict), Some(SessionError::Gone)] {
        let change = |data: &mut SessionData| {
            data.insert("b", 2)?;
            Err::<(), _>(error.clone())
        };
        assert_eq!(session.update_with(change).await, Err(error.clone()));
        assert!(session.is_active(), "not the session's error");
        assert_eq!(session.to_json(), json!({"a": 1}));
    }
    assert_eq!(text(&store, &key(&session)).await, before);
    assert!(warnings(&log).is_empty());
    sessions.destroy(&id(&session)).await.unwrap();
    let ended = session.update_with(|_| Ok::<_, Option<_>>(())).await;
    assert_eq!(ended, Err(Some(SessionError::Gone)));
}
