//! Changes that are never stored, and what the log says of failures.

use std::sync::Mutex;

use super::*;
use jwt_redis_session::MemoryStore;

/// Collects what is logged on this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    fn listen() -> (Self, tracing::subscriber::DefaultGuard) {
        let log = Self::default();
        let writer = log.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::WARN)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        (log, tracing::subscriber::set_default(subscriber))
    }

    /// The lines since the last call.
    fn lines(&self) -> Vec<String> {
        let bytes = std::mem::take(&mut *self.0.lock().unwrap());
        let text = String::from_utf8(bytes).unwrap();
        text.lines().map(str::to_owned).collect()
    }
}

#[tokio::test]
async fn a_handle_that_is_dropped_with_changes_is_reported_once() {
    let (log, _guard) = Log::listen();
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions).await;
    assert!(!session.is_modified());
    session.insert("card", "4111").unwrap();
    session.remove("a");
    assert!(session.is_modified());
    let clone = session.clone();
    drop(session);
    assert!(log.lines().is_empty(), "a clone may still store it");
    drop(clone);
    let lines = log.lines();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("WARN") && lines[0].contains("fields=2"),
        "{lines:?}"
    );
    assert!(!lines[0].contains("card") && !lines[0].contains("4111"));
    let session = sessions.new_session();
    session.set_owner("jo").unwrap();
    assert!(session.is_modified());
    drop(session);
    assert!(log.lines()[0].contains("owner=true"));
}

#[tokio::test]
async fn a_handle_that_is_stored_ended_or_failed_is_not_reported() {
    use jwt_redis_session::store::StoreErrorKind;
    let (log, _guard) = Log::listen();
    let faults = Faults::new();
    let sessions = sessions(faults.wrap(MemoryStore::new()));
    let (session, token) = created(&sessions).await;
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
    assert_eq!(log.lines(), [""; 0]);
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
async fn the_error_of_a_closure_is_its_own_and_not_logged() {
    let (log, _guard) = Log::listen();
    let sessions = sessions(MemoryStore::new());
    let (session, _) = created(&sessions).await;
    let checked = |expected: u32| {
        session.update_with(move |data| {
            if data.get("a")? != Some(expected) {
                return Err(Precondition::Failed);
            }
            data.insert("a", 2)?;
            Ok(())
        })
    };
    assert_eq!(checked(9).await, Err(Precondition::Failed));
    assert_eq!(checked(1).await, Ok(()));
    let conflict: Result<(), _> = session.update_with(|_| Err(SessionError::Conflict)).await;
    assert_eq!(conflict, Err(SessionError::Conflict));
    let gone: Result<(), _> = session.update_with(|_| Err(SessionError::Gone)).await;
    assert_eq!(gone, Err(SessionError::Gone));
    assert!(
        session.is_active(),
        "the closure's error, not the session's"
    );
    assert_eq!(log.lines(), [""; 0]);
    session.destroy().await.unwrap();
    let other = sessions.new_session();
    other.create().await.unwrap();
    sessions.destroy(&id(&other)).await.unwrap();
    let gone = other.update_with(|_| Ok::<_, Precondition>(())).await;
    assert_eq!(gone, Err(Precondition::Session(SessionError::Gone)));
}
