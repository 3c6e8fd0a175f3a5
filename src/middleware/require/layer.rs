//! The layer that answers for requests without a session.

use http::{Extensions, Response};
use tower_layer::Layer;

use super::refuse::EmptyBody;
use super::service::{Demand, RequireSessionService};
use crate::middleware::session_rejection::{InvalidRealm, Realm, SessionRejection};
use crate::middleware::tagged::Tagged;

/// The layer that lets only requests with an active session pass, and answers all others with
/// their [`SessionRejection`].
///
/// Stands inside of [`JwtRedisSession`](crate::JwtRedisSession). Answers have a default body,
/// that is an empty one; [`respond_with`](Self::respond_with) makes others.
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
/// # use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, RequireSession, SessionBody, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # type Body = SessionBody<Empty<&'static [u8]>>;
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
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct RequireSession<F = EmptyBody> {
    demand: Demand,
    refuse: F,
}

impl RequireSession {
    /// Lets requests with an active session pass.
    pub const fn new() -> Self {
        Self {
            demand: Demand {
                realm: Realm::DEFAULT,
                only_available: false,
                find: Extensions::get,
            },
            refuse: EmptyBody,
        }
    }

    /// Lets all requests pass but those whose session nobody knows because the store does not
    /// answer: for services that would rather fail than take a user for a stranger.
    pub const fn available() -> Self {
        let mut require = Self::new();
        require.demand.only_available = true;
        require
    }
}

impl<F> RequireSession<F> {
    /// Sets the realm that `WWW-Authenticate` names. Defaults to `session`.
    ///
    /// # Errors
    ///
    /// If it is not printable ASCII.
    pub fn realm(mut self, realm: &str) -> Result<Self, InvalidRealm> {
        self.demand.realm = Realm::new(realm)?;
        Ok(self)
    }

    /// Asks for the session of the layer [tagged](crate::JwtRedisSession::tagged) with `T`,
    /// instead of the nearest.
    pub fn tagged<T: 'static>(mut self) -> Self {
        self.demand.find = |extensions| Tagged::<T>::of(extensions).map(|tagged| &**tagged);
        self
    }

    /// Sets how refusals are answered, for example with a page or a redirection of your own.
    ///
    /// ```
    /// # use jwt_redis_session::{SessionRejection, RequireSession};
    /// let require = RequireSession::new()
    ///     .respond_with(|refusal: &SessionRejection| refusal.response(refusal.to_json()));
    /// ```
    pub fn respond_with<G, B>(self, respond: G) -> RequireSession<G>
    where
        G: Fn(&SessionRejection) -> Response<B>,
    {
        RequireSession {
            demand: self.demand,
            refuse: respond,
        }
    }
}

impl Default for RequireSession {
    fn default() -> Self {
        Self::new()
    }
}

impl<S, F: Clone> Layer<S> for RequireSession<F> {
    type Service = RequireSessionService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireSessionService {
            inner,
            demand: self.demand.clone(),
            refuse: self.refuse.clone(),
        }
    }
}
