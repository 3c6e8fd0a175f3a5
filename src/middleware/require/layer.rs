//! The layer that rejects requests without a session.

use std::time::Duration;

use http::Response;

use super::respond::{EmptyBody, JsonBody};
use crate::middleware::session_rejection::{InvalidRealm, Realm, SessionRejection};
use crate::middleware::slot::Slot;
use crate::session::{Session, SessionState};

/// Layer that rejects requests without an active session.
///
/// It sends the response that [`SessionRejection`] describes, and passes all other requests on. Put
/// it inside [`JwtRedisSession`](crate::JwtRedisSession), and inside a `CorsLayer`, because a
/// browser sends no token with a CORS preflight. Its inner services find a loaded
/// [`Session`](crate::Session) in the request extensions, even if the outer layer is
/// [`lazy`](crate::JwtRedisSession::lazy).
///
/// The response has the body `{"error":"…"}`, as that of the extractor `ActiveSession`. If the body
/// type cannot be made from a string, as with tonic, use [`empty_body`](Self::empty_body) or
/// [`respond_with`](Self::respond_with). If an inner layer such as `TraceLayer` changes the type of
/// the body in the same `ServiceBuilder`, put
/// `.map_response(|response: Response<_>| response.map(Body::new))` in between.
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
/// # use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, RequireSession, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # type Body = Empty<&'static [u8]>;
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// # async fn handler(_: Request<Body>) -> Result<Response<String>, Infallible> {
/// #     Ok(Response::default())
/// # }
/// let service = ServiceBuilder::new()
///     .layer(JwtRedisSession::new(sessions))
///     .layer(RequireSession::new().realm("shop")?)
///     .service_fn(handler);
///
/// let answer = service.oneshot(Request::new(Empty::new())).await?;
/// assert_eq!(answer.status(), 401);
/// assert_eq!(answer.headers()["www-authenticate"], r#"Bearer realm="shop""#);
/// assert_eq!(answer.body(), r#"{"error":"a token is required"}"#);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct RequireSession<F = JsonBody> {
    realm: Realm,
    /// Only an outage is rejected.
    only_available: bool,
    /// The longest time since the owner's last authentication; `None` for no limit.
    authenticated_within: Option<Duration>,
    pub(super) slot: Slot,
    pub(super) respond: F,
}

impl RequireSession {
    /// Creates a layer that rejects every request without an active session.
    pub const fn new() -> Self {
        Self {
            realm: Realm::DEFAULT,
            only_available: false,
            authenticated_within: None,
            slot: Slot::NEAREST,
            respond: JsonBody,
        }
    }

    /// Creates a layer that rejects a request only if the store is unavailable.
    ///
    /// For services with optional sessions, which must not treat a user as logged out during an
    /// outage.
    pub const fn available() -> Self {
        let mut require = Self::new();
        require.only_available = true;
        require
    }
}

impl<F> RequireSession<F> {
    /// Sets the realm in `WWW-Authenticate`. Defaults to `session`.
    ///
    /// # Errors
    ///
    /// [`InvalidRealm`](crate::middleware::InvalidRealm) if the realm is not printable ASCII.
    pub fn realm(mut self, realm: &str) -> Result<Self, InvalidRealm> {
        self.realm = Realm::new(realm)?;
        Ok(self)
    }

    /// Requires that the owner of the session has authenticated within the last `limit` (step-up
    /// authentication, RFC 9470).
    ///
    /// Other requests are answered 401 with `error="insufficient_user_authentication"` and
    /// `max_age` in seconds, so that the client can ask the user for the password and repeat the
    /// request. The same applies if [`authenticated_at`](Session::authenticated_at) is unknown.
    /// This setting does not change the response to a request without a session, even after
    /// [`available`](Self::available).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use jwt_redis_session::RequireSession;
    /// let require = RequireSession::new().authenticated_within(Duration::from_secs(300));
    /// ```
    pub fn authenticated_within(mut self, limit: Duration) -> Self {
        self.authenticated_within = Some(limit);
        self.only_available = false;
        self
    }

    /// Requires the session of the layer [tagged](crate::JwtRedisSession::tagged) with `T`,
    /// instead of the nearest one.
    pub fn tagged<T: 'static>(mut self) -> Self {
        self.slot = Slot::tagged::<T>();
        self
    }

    /// Answers rejected requests with status and headers only.
    pub fn empty_body(self) -> RequireSession<EmptyBody> {
        self.responding(EmptyBody)
    }

    /// Sets how rejected requests are answered, for example with a page or a redirect.
    ///
    /// ```
    /// # use http::Response;
    /// # use jwt_redis_session::{SessionRejection, RequireSession};
    /// let require = RequireSession::new().respond_with(|rejection: &SessionRejection| {
    ///     let mut response = rejection.response(String::from("<h1>Please log in</h1>"));
    ///     let html = "text/html".parse().expect("a valid header value");
    ///     response.headers_mut().insert("content-type", html);
    ///     response
    /// });
    /// ```
    pub fn respond_with<G, B>(self, respond: G) -> RequireSession<G>
    where
        G: Fn(&SessionRejection) -> Response<B>,
    {
        self.responding(respond)
    }

    fn responding<G>(self, respond: G) -> RequireSession<G> {
        RequireSession {
            realm: self.realm,
            only_available: self.only_available,
            authenticated_within: self.authenticated_within,
            slot: self.slot,
            respond,
        }
    }

    /// Returns the session if the request may pass.
    pub(super) fn check(&self, session: Option<Session>) -> Result<Session, SessionRejection> {
        let session = session.ok_or_else(SessionRejection::missing_layer)?;
        let state = session.state();
        if self.only_available && !matches!(state, SessionState::Unavailable(_)) {
            return Ok(session);
        }
        let is_recent = |limit: &Duration| session.is_authenticated_within(*limit);
        let too_long_ago = self.authenticated_within.filter(|limit| !is_recent(limit));
        let authentication = too_long_ago.map(SessionRejection::insufficient_authentication);
        let Some(mut rejection) = SessionRejection::of(&state).or(authentication) else {
            return Ok(session);
        };
        rejection.realm = self.realm.clone();
        Err(rejection)
    }
}

impl Default for RequireSession {
    fn default() -> Self {
        Self::new()
    }
}
