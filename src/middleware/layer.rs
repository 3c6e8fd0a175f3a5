//! The layer that gives every request its session.

use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::service::JwtRedisSessionService;
use super::settings::{Settings, attach_nearest};
use super::tagged::Tagged;
use super::vary::Vary;
use crate::sessions::Sessions;
use crate::source::TokenSources;

/// The layer that finds the session of every request.
///
/// Inner services find a [`Session`](crate::Session) in the request's extensions, always: a
/// request without a session has a handle too, whose [state](crate::Session::state) says so. The
/// layer itself answers nothing; that is for [`RequireSession`](crate::RequireSession), or the
/// extractor `ActiveSession`.
///
/// A request without a token costs nothing but the handle, and one with a bad token never comes
/// to the store. The body is read only if it may hold the token, and comes to the inner service
/// as it was, as a [`SessionBody`](crate::SessionBody); reading one needs tokio's timer. Requests
/// for an upgrade have a handle, and their body is left alone. What the handle of a websocket
/// knows is as old as the upgrade: ask [`is_alive`](crate::Session::is_alive) now and then.
///
/// Responses get, where the app has not set it itself, `Cache-Control: no-store` if session data
/// was read or a token issued before the response began or a token stood in the address, and
/// `Referrer-Policy: no-referrer` in the latter case. Those for which the session was looked at
/// get a `Vary` that lists the headers in which a token may stand.
///
/// ```
/// # use std::convert::Infallible;
/// # use http::{Request, Response};
/// # use http_body_util::Empty;
/// # use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
/// # use jwt_redis_session::{JwtRedisSession, Keyring, MemoryStore, Session, SessionBody, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # type Body = SessionBody<Empty<&'static [u8]>>;
/// let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
///
/// async fn greet(request: Request<Body>) -> Result<Response<String>, Infallible> {
///     let session: &Session = request.extensions().get().expect("the layer is there");
///     let user: Option<String> = session.get("user").unwrap_or_default();
///     Ok(Response::new(format!("Hello {}!", user.as_deref().unwrap_or("stranger"))))
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
#[derive(Clone, Debug)]
#[must_use = "a layer does nothing unless it is applied to a service"]
pub struct JwtRedisSession {
    settings: Settings,
    vary: bool,
}

impl JwtRedisSession {
    /// Looks for tokens of `sessions` in the [default sources](TokenSources::default).
    pub fn new(sessions: Sessions) -> Self {
        Self {
            settings: Settings::new(sessions),
            vary: true,
        }
    }

    /// Sets where tokens are looked for.
    pub fn sources(mut self, sources: TokenSources) -> Self {
        self.settings.sources = sources;
        self
    }

    /// Looks for tokens in headers only; see [`TokenSources::hardened`].
    pub fn hardened(self) -> Self {
        self.sources(TokenSources::hardened())
    }

    /// Sets up to which length a body is read in search of a token. Defaults to 64 KiB; a longer
    /// one is [`TokenRejection::BodyTooLarge`](crate::TokenRejection::BodyTooLarge).
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.settings.limits.bytes = bytes;
        self
    }

    /// Sets within which time such a body must have arrived. Defaults to 10 s; a slower one is
    /// [`TokenRejection::BodyTimeout`](crate::TokenRejection::BodyTimeout).
    pub const fn body_deadline(mut self, deadline: Duration) -> Self {
        self.settings.limits.deadline = deadline;
        self
    }

    /// Sets whether responses that depend on a session get a `Vary`. Defaults to true.
    pub const fn vary(mut self, vary: bool) -> Self {
        self.vary = vary;
        self
    }

    /// Makes the sessions of this layer reachable as [`Tagged<T>`] also when another layer stands
    /// between it and the handler: for several kinds of session side by side.
    ///
    /// Give each its own keyspace, and sources that do not overlap: `Authorization: Bearer`
    /// stands in the lists of all, and a token there is rejected by all layers but its own.
    pub fn tagged<T: 'static>(mut self) -> Self {
        self.settings.attach = |extensions, session| {
            attach_nearest(extensions, session);
            Tagged::<T>::attach(extensions, session);
        };
        self
    }
}

impl<S> Layer<S> for JwtRedisSession {
    type Service = JwtRedisSessionService<S>;

    fn layer(&self, inner: S) -> Self::Service {
        let mut settings = self.settings.clone();
        settings.vary = self.vary.then(|| Vary::on(&settings.sources));
        JwtRedisSessionService::new(inner, Arc::new(settings))
    }
}
