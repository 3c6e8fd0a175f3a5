//! The layer that attaches a session to every request.

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::read_body::ReadLimits;
use super::service::JwtRedisSessionService;
use super::settings::Settings;
use super::slot::Slot;
use super::vary::Vary;
use crate::sessions::Sessions;
use crate::source::{Anywhere, InHead, TokenSources};

/// Layer that attaches a [`Session`](crate::Session) to every request.
///
/// The layer finds and verifies the token, loads the session, and inserts a handle into the request
/// extensions. Without a session, the [state](crate::Session::state) of the handle is the reason.
/// The layer itself never answers a request;
/// [`RequireSession`](crate::RequireSession) and the extractor `ActiveSession` do.
///
/// # axum
///
/// Handlers take the session as an argument. `Session` can have any state; `ActiveSession` answers
/// 401 or 503 without a session:
///
/// ```
/// use axum::Router;
/// use axum::routing::{get, post};
/// use jwt_redis_session::{ActiveSession, JwtRedisSession, Session, SessionError, Sessions};
///
/// async fn login(session: Session) -> Result<String, SessionError> {
///     Ok(session.login("jo").await?.into_string())
/// }
///
/// async fn me(session: ActiveSession) -> String {
///     session.owner().unwrap_or_default()
/// }
///
/// fn app(sessions: Sessions) -> Router {
///     Router::new()
///         .route("/login", post(login))
///         .route("/me", get(me))
///         .layer(JwtRedisSession::new(sessions))
/// }
/// ```
///
/// # tower
///
/// Services read the session from the request extensions:
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
/// # use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, Session, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # type Body = Empty<&'static [u8]>;
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// async fn greet(request: Request<Body>) -> Result<Response<String>, Infallible> {
///     let session: &Session = request.extensions().get().expect("the layer is present");
///     let user = session.owner().unwrap_or_else(|| "stranger".to_owned());
///     Ok(Response::new(format!("Hello {user}!")))
/// }
///
/// let service = ServiceBuilder::new()
///     .layer(JwtRedisSession::new(sessions))
///     .service_fn(greet);
/// # let answer = service.oneshot(Request::new(Empty::new())).await?;
/// # assert_eq!(answer.body(), "Hello stranger!");
/// # Ok(())
/// # }
/// ```
///
/// # tonic
///
/// gRPC services read the session from the extensions of the message. The layer does not search
/// their bodies for a token, and a rejection has no body:
///
/// ```
/// use jwt_redis_session::{JwtRedisSession, RequireSession, Session, Sessions};
/// use tonic::service::Routes;
/// use tonic::transport::{Server, server::Router};
/// # use tower::layer::util::{Identity, Stack};
/// # use jwt_redis_session::middleware::{EmptyBody, InHead};
///
/// // Called by a method of a service.
/// fn user<T>(request: &tonic::Request<T>) -> Option<String> {
///     request.extensions().get::<Session>()?.owner()
/// }
///
/// # type Layers = Stack<RequireSession<EmptyBody>, Stack<JwtRedisSession<InHead>, Identity>>;
/// # fn server(sessions: Sessions, services: Routes) -> Router<Layers> {
/// Server::builder()
///     .layer(JwtRedisSession::new(sessions).headers_only())
///     .layer(RequireSession::new().empty_body())
///     .add_routes(services)
/// # }
/// ```
///
/// # Cost
///
/// A request without a token, or with an invalid one, sends no command to the store. With a valid
/// token the session is loaded in one round trip before the inner service is called, or when it is
/// first needed if the layer is [`lazy`](Self::lazy). A
/// [ticket](crate::TokenSource::Ticket) takes three round trips.
///
/// # Request bodies
///
/// By default a token may be in the body of a JSON or form request. If no other source holds one,
/// the layer reads the body, and passes it to the inner service with the same content. The type of
/// the body must implement [`ReplayBody`](crate::middleware::ReplayBody); see the
/// [module](crate::middleware#request-bodies) for other types. Reading a body needs tokio's timer.
/// The layer never reads the bodies of upgrade requests, such as those of WebSockets.
///
/// A body that is too large, too slow or malformed is not searched, and reaches the inner service
/// unchanged; see [`UnsearchedBody`](crate::middleware::UnsearchedBody).
///
/// # Response headers
///
/// Unless the application sets them itself:
///
/// - `Cache-Control: no-store` if session data was read or a token was issued before the response
///   head was complete, or if a token or a ticket was in the query;
/// - `Referrer-Policy: no-referrer` if a token or a ticket was in the query;
/// - `Vary` with the headers that may hold a token if the state of the session was read;
/// - `Sec-WebSocket-Protocol: bearer` if the response accepts a WebSocket that has offered it, with
///   [`TokenSource::WebSocketProtocol`](crate::TokenSource::WebSocketProtocol);
/// - `Set-Cookie` for a layer with a [cookie](crate::SessionCookie).
///
/// # Long-lived connections
///
/// The layer loads a session once per request. A WebSocket or a stream of events outlives its
/// request, so wait for [`Session::ended`](crate::Session::ended) and then close it.
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct JwtRedisSession<P = Anywhere> {
    settings: Arc<Settings>,
    /// Whether the sources of the settings include the body.
    marker: PhantomData<P>,
}

impl JwtRedisSession {
    /// Creates a layer that looks for tokens of `sessions` in the
    /// [default sources](TokenSources::default), the body included.
    pub fn new(sessions: Sessions) -> Self {
        let sources = TokenSources::default();
        Self {
            settings: Arc::new(Settings {
                sessions,
                limits: ReadLimits {
                    bytes: 64 * 1024,
                    deadline: Duration::from_secs(10),
                },
                vary: Some(Vary::on(&sources)),
                sources,
                lazy: false,
                tag: None,
                #[cfg(feature = "cookie")]
                cookie: None,
            }),
            marker: PhantomData,
        }
    }
}

impl<P> JwtRedisSession<P> {
    /// Sets where the layer looks for tokens. If the list has no body source, request bodies may
    /// have any type.
    pub fn sources<Q>(self, sources: TokenSources<Q>) -> JwtRedisSession<Q> {
        self.map_sources(|_| sources)
    }

    /// Looks for tokens in headers only; see [`TokenSources::headers_only`].
    pub fn headers_only(self) -> JwtRedisSession<InHead> {
        self.sources(TokenSources::headers_only())
    }

    /// Looks for tokens in the same sources, but never in the body.
    pub fn without_body(self) -> JwtRedisSession<InHead> {
        self.map_sources(TokenSources::without_body)
    }

    /// Loads sessions when they are first needed instead of before the inner service is called.
    /// Defaults to off.
    ///
    /// The extractors `Session` and `ActiveSession`, [`RequireSession`](crate::RequireSession) and
    /// [`LazySession::load`](crate::middleware::LazySession::load) verify the token and load the
    /// session; one read serves them all. A route that uses none of them sends no command to the
    /// store, works during an outage, and neither rejects nor counts an invalid token. Exceptions:
    /// credentials that are malformed, ambiguous or too long are rejected immediately. The token in
    /// a [`SessionCookie`](crate::SessionCookie) is verified immediately if the request is a
    /// navigation, so that the response clears the cookie of an invalid token.
    ///
    /// The request extensions hold a [`LazySession`](crate::middleware::LazySession) instead of a
    /// [`Session`](crate::Session), except inside `RequireSession`. A request that does not load
    /// its session does not extend its lifetime.
    ///
    /// ```
    /// # use axum::{Router, routing::get};
    /// # use jwt_redis_session::{ActiveSession, JwtRedisSession, Keyring, MemoryStore, Sessions};
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let app: Router = Router::new()
    ///     .route("/me", get(async |session: ActiveSession| format!("{:?}", session.id())))
    ///     .route("/version", get(async || "1.0.0")) // Never reads from the store.
    ///     .layer(JwtRedisSession::new(sessions).lazy());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn lazy(mut self) -> Self {
        self.settings_mut().lazy = true;
        self
    }

    /// Sets whether responses that depend on a session get a `Vary` header. Defaults to true.
    pub fn vary(mut self, vary: bool) -> Self {
        let settings = self.settings_mut();
        settings.vary = vary.then(|| Vary::on(&settings.sources));
        self
    }

    /// Also attaches the session as [`Tagged<T>`](crate::Tagged), for several kinds of session side
    /// by side. Another layer between this one and the handler does not replace it.
    ///
    /// Give each layer a separate keyspace, and sources that do not overlap. `Authorization:
    /// Bearer` is in every default list: a token there is valid for one layer, and all others
    /// reject it.
    pub fn tagged<T: 'static>(mut self) -> Self {
        self.settings_mut().tag = Some(Slot::tagged::<T>());
        self
    }

    pub(super) fn map_sources<Q>(
        mut self,
        change: impl FnOnce(TokenSources<P>) -> TokenSources<Q>,
    ) -> JwtRedisSession<Q> {
        let settings = self.settings_mut();
        let sources = change(settings.sources.clone().marked());
        settings.vary = settings.vary.take().map(|_| Vary::on(&sources));
        settings.sources = sources.marked();
        JwtRedisSession {
            settings: self.settings,
            marker: PhantomData,
        }
    }

    pub(super) fn settings_mut(&mut self) -> &mut Settings {
        Arc::make_mut(&mut self.settings)
    }
}

impl JwtRedisSession {
    /// Sets the largest body that is searched for a token, in bytes. Defaults to 64 KiB.
    ///
    /// A larger one is [`UnsearchedBody::TooLarge`](crate::middleware::UnsearchedBody::TooLarge).
    pub fn body_limit(mut self, bytes: usize) -> Self {
        self.settings_mut().limits.bytes = bytes;
        self
    }

    /// Sets how long a body that is searched may take to arrive. Defaults to 10 s.
    ///
    /// A slower one is
    /// [`UnsearchedBody::TimedOut`](crate::middleware::UnsearchedBody::TimedOut).
    pub fn body_deadline(mut self, deadline: Duration) -> Self {
        self.settings_mut().limits.deadline = deadline;
        self
    }
}

impl<S, P: Clone> Layer<S> for JwtRedisSession<P> {
    type Service = JwtRedisSessionService<S, P>;

    fn layer(&self, inner: S) -> Self::Service {
        JwtRedisSessionService {
            inner,
            settings: Arc::clone(&self.settings),
            marker: PhantomData,
        }
    }
}
