//! Lazy loading of the session of a request.

use std::sync::Arc;

use http::Extensions;
use tokio::sync::OnceCell;

use super::credential::Credential;
use crate::lifecycle::run_to_completion;
use crate::session::Session;
use crate::sessions::Sessions;

/// Session of a request that is loaded when it is first needed.
///
/// A layer with [`lazy`](crate::JwtRedisSession::lazy) finds the token and inserts this into the
/// request extensions. [`load`](Self::load) verifies the token and reads the session from the store.
/// This type has no accessors for data, so a session that is not loaded cannot be mistaken for an
/// empty one.
///
/// In axum, it is an extractor, and the extractors `Session` and `ActiveSession` load it. In other
/// services, take it from the extensions with [`LazySession::of`].
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// use jwt_redis_session::middleware::LazySession;
///
/// async fn handler(request: Request<String>) -> Result<Response<String>, Infallible> {
///     if request.uri().path() == "/logo.svg" {
///         return Ok(Response::new("<svg/>".to_owned())); // No command is sent to the store.
///     }
///     let lazy = LazySession::of(request.extensions()).expect("the layer is present");
///     let session = lazy.load().await;
///     Ok(Response::new(format!("{:?}", session.state())))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct LazySession(Inner);

#[derive(Clone, Debug)]
enum Inner {
    Loaded(Session),
    Pending(Arc<Pending>),
}

/// Credential of a [`LazySession`] and the session once it is loaded; shared by its clones.
#[derive(Debug)]
struct Pending {
    sessions: Sessions,
    credential: Credential,
    session: OnceCell<Session>,
}

impl Pending {
    async fn load(self: Arc<Self>) -> Session {
        if self.credential.is_single_use() && !self.session.initialized() {
            // In a task: if the caller were dropped, a second read would find a spent ticket.
            let pending = Arc::clone(&self);
            let opened = run_to_completion(async move || Ok(pending.open().await)).await;
            if let Ok(session) = opened {
                return session;
            }
        }
        self.open().await
    }

    async fn open(&self) -> Session {
        let open = || self.credential.open(&self.sessions);
        self.session.get_or_init(open).await.clone()
    }
}

impl LazySession {
    pub(super) fn new(sessions: Sessions, credential: Credential) -> Self {
        let session = OnceCell::new();
        let pending = Pending {
            sessions,
            credential,
            session,
        };
        Self(Inner::Pending(Arc::new(pending)))
    }

    /// Returns the session that the nearest layer inserted into the extensions of a request,
    /// whether that layer is lazy or not.
    #[must_use]
    pub fn of(extensions: &Extensions) -> Option<Self> {
        match extensions.get::<Session>() {
            Some(session) => Some(session.clone().into()),
            None => extensions.get().cloned(),
        }
    }

    /// Returns the session. The first call verifies the token and reads the session from the store.
    ///
    /// All clones share one read, even if their calls overlap. If a call is dropped early, the next
    /// call starts the read again. A read that spends a ticket is not dropped; the next call gets
    /// its result. If the read fails, the state of the returned session is the reason.
    pub async fn load(&self) -> Session {
        self.clone().into_session().await
    }

    /// As [`load`](Self::load), without a clone of a session that is loaded.
    pub(crate) async fn into_session(self) -> Session {
        match self.0 {
            Inner::Loaded(session) => session,
            Inner::Pending(pending) => pending.load().await,
        }
    }

    /// Returns the session if it is available without verifying a token or reading from the store.
    ///
    /// That is the case after [`load`](Self::load), for a request without a token, and if the layer
    /// has rejected the credentials; see [`lazy`](crate::JwtRedisSession::lazy).
    #[must_use]
    pub fn loaded(&self) -> Option<Session> {
        self.get().cloned()
    }

    /// As [`loaded`](Self::loaded), without a clone.
    pub(super) fn get(&self) -> Option<&Session> {
        match &self.0 {
            Inner::Loaded(session) => Some(session),
            Inner::Pending(pending) => pending.session.get(),
        }
    }
}

impl From<Session> for LazySession {
    fn from(session: Session) -> Self {
        Self(Inner::Loaded(session))
    }
}
