//! The layer with a cookie.

use tower_layer::Layer;

use super::cookie::{CookieWriter, InvalidCookie, SessionCookie};
use super::layer::JwtRedisSession;

impl<P> JwtRedisSession<P> {
    /// Adds a cookie as a token source, and sets and clears it; see [`SessionCookie`].
    ///
    /// Call this last, because it returns a tuple of layers: `csrf` around this layer. A token in a
    /// header wins over the cookie, and the cookie wins over other cookies, the query and the body.
    ///
    /// To change the name of a cookie, keep the old one in the list for a while, with
    /// [`TokenSources::with`](crate::TokenSources::with) and
    /// [`TokenSource::cookie`](crate::TokenSource::cookie). The next token is set under the new
    /// name, which then wins over the old cookie.
    ///
    /// # Cross-site requests
    ///
    /// Browsers send a cookie with every request to its host, even if another site has caused the
    /// request (CSRF). `csrf` is the layer that rejects such requests: `CsrfLayer` of `tower_http`
    /// (feature `csrf`), another one, or [`CsrfCheckedElsewhere`]. `SameSite=Lax` is not enough: it
    /// does not restrict other hosts of the same site, such as `blog.example.com`.
    ///
    /// ```
    /// # use axum::{Router, routing::post};
    /// # use jwt_redis_session::{JwtRedisSession, Session, SessionCookie, SessionError, Sessions};
    /// # use tower_http::csrf::CsrfLayer;
    /// async fn log_in(session: Session) -> Result<(), SessionError> {
    ///     session.login("jo").await?; // The layer sets the cookie.
    ///     Ok(())
    /// }
    ///
    /// async fn log_out(session: Session) -> Result<(), SessionError> {
    ///     session.logout().await?; // The layer clears the cookie.
    ///     Ok(())
    /// }
    ///
    /// # fn doc(sessions: Sessions) -> Result<Router, Box<dyn std::error::Error>> {
    /// let layers = JwtRedisSession::new(sessions)
    ///     .headers_only()
    ///     .cookie(SessionCookie::new("session"), CsrfLayer::new())?;
    /// Ok(Router::new()
    ///     .route("/login", post(log_in))
    ///     .route("/logout", post(log_out))
    ///     .layer(layers))
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`InvalidCookie`] if browsers would not accept the cookie.
    pub fn cookie<C>(mut self, cookie: SessionCookie, csrf: C) -> Result<(C, Self), InvalidCookie> {
        let name = cookie.name();
        self.settings_mut().cookie = Some(CookieWriter::new(cookie)?);
        Ok((csrf, self.map_sources(|sources| sources.with_cookie(name))))
    }
}

/// Layer that does nothing, for an application that rejects cross-site requests elsewhere.
///
/// Examples are a layer around the whole application, a gateway, and tokens in forms. It is the
/// second argument of [`JwtRedisSession::cookie`] then.
#[derive(Clone, Copy, Debug, Default)]
pub struct CsrfCheckedElsewhere;

impl<S> Layer<S> for CsrfCheckedElsewhere {
    type Service = S;

    fn layer(&self, inner: S) -> S {
        inner
    }
}
