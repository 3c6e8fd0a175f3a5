//! The log of changes that are never stored, and of failures.

use std::sync::Mutex;

use tracing::subscriber::DefaultGuard;

use super::*;

/// What is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn listen() -> (Self, DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The text since the last call.
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }
}

#[tokio::test]
async fn a_handle_that_is_dropped_with_changes_is_reported_once() {
    let (log, _guard) = Log::listen();
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions, Some("jo")).await;
    assert!(!session.is_modified());
    session.insert("card", "4111").unwrap();
    session.remove("a");
    assert!(session.is_modified());
    let clone = session.clone();
    drop(session);
    assert_eq!(log.take(), "", "a clone may still store it");
    drop(clone);
    let line = log.take();
    assert_eq!(line.lines().count(), 1);
    assert!(line.contains("WARN") && line.contains("fields=2"), "{line}");
    assert!(!line.contains("card") && !line.contains("4111"));
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    assert!(session.is_modified());
    drop(session);
    assert!(log.take().contains("owner=true"));
}

#[tokio::test]
async fn a_handle_that_was_stored_ended_or_failed_is_not_reported() {
    let (log, _guard) = Log::listen();
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
    assert_eq!(log.take(), "");
}

#[derive(Debug, PartialEq)]
enum Precondition {
    Failed,
    Session(SessionError),
}

impl From<SessionError> for Precondition {
    fn from(error: SessionError) -> Self {
        Self::Session(error)
    }
}

#[tokio::test]
async fn the_error_of_a_closure_changes_nothing_and_is_not_logged() {
    let (log, _guard) = Log::listen();
    let store = MemoryStore::new();
    let sessions = sessions(store.clone());
    let (session, _) = created(&sessions, Some("jo")).await;
    let before = text(&store, &key(&session)).await;
    let failed = Err(Precondition::Failed);
    let conflict = Err(Precondition::Session(SessionError::Conflict));
    let gone = Err(Precondition::Session(SessionError::Gone));
    for error in [&failed, &conflict, &gone] {
        let outcome: Result<(), _> = session
            .update_with(|data| {
                data.insert("b", 2)?;
                match error {
                    Err(Precondition::Session(error)) => Err(error.clone().into()),
                    _ => Err(Precondition::Failed),
                }
            })
            .await;
        assert_eq!(&outcome, error);
        assert!(session.is_active(), "not the session's error");
        assert_eq!(session.to_json(), json!({"a": 1}));
    }
    assert_eq!(text(&store, &key(&session)).await, before);
    assert_eq!(log.take(), "");
    sessions.destroy(&id(&session)).await.unwrap();
    let ended = session.update_with(|_| Ok::<_, Precondition>(())).await;
    assert_eq!(ended, gone);
}
