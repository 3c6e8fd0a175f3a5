//! Token sources in the head of a request.

use std::sync::Arc;

use http::HeaderName;

/// Place in the head of a request where a token may be.
///
/// Body fields are added with [`TokenSources::or_body`](crate::TokenSources::or_body) instead, and
/// are always searched last.
///
/// ```
/// use http::HeaderName;
/// use jwt_redis_session::{TokenSource, TokenSources};
///
/// let sources = TokenSources::new([
///     TokenSource::Bearer,
///     TokenSource::Header(HeaderName::from_static("x-session")),
///     TokenSource::cookie("session"),
///     TokenSource::query("token"),
/// ]);
/// let names: Vec<_> = sources.iter().map(TokenSource::as_str).collect();
/// assert_eq!(names, ["bearer", "header", "cookie", "query"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenSource {
    /// A header whose whole value is the token, such as `x-access-token`.
    Header(HeaderName),
    /// `Authorization: Bearer <token>`; other schemes are ignored.
    ///
    /// The same token twice, in two lines or in a list, counts as one.
    Bearer,
    /// `Authorization` with another scheme, such as `Token <token>`; as [`Bearer`](Self::Bearer)
    /// otherwise. Created by [`TokenSource::authorization`].
    Authorization(Arc<str>),
    /// A query parameter.
    ///
    /// URLs end up in logs, histories and `Referer` headers; see
    /// [`TokenSources::headers_only`](crate::TokenSources::headers_only).
    Query(Arc<str>),
    /// A cookie that the application sets itself. The browser sends it with every request, also from
    /// other sites, so the application needs its own protection against cross-site request forgery.
    ///
    /// [`SessionCookie`](crate::SessionCookie) is a cookie that the layer sets and clears.
    Cookie(Arc<str>),
    /// The subprotocol after `bearer` that a WebSocket handshake offers in
    /// `Sec-WebSocket-Protocol`; for browsers, which cannot add a header to a WebSocket.
    ///
    /// ```js
    /// new WebSocket(url, ["bearer", token])
    /// new WebSocket(url, ["chat", "bearer", token]) // Other subprotocols come first.
    /// ```
    ///
    /// Other requests are not searched. Exactly one value follows `bearer`; more are
    /// [`TokenRejection::Ambiguous`](crate::TokenRejection::Ambiguous). A JWT and an opaque token
    /// in base64url or hexadecimal are legal names of subprotocols (RFC 6455 section 4.1); an
    /// opaque token in base64 is not.
    ///
    /// The layer removes `bearer` and the token from the request, so the application does not see
    /// them and can select only other subprotocols, in axum with `WebSocketUpgrade::protocols`.
    /// If it accepts the handshake and selects none, the layer selects `bearer`: a browser closes
    /// the connection unless the server selects one of those offered.
    ///
    /// ```
    /// use jwt_redis_session::{TokenSource, TokenSources};
    ///
    /// let sources = TokenSources::headers_only().with(TokenSource::WebSocketProtocol);
    /// ```
    WebSocketProtocol,
    /// A query parameter with a [`Ticket`](crate::token::Ticket) instead of a token.
    ///
    /// The layer spends the ticket when it loads the session, so a lazy layer does not spend it on
    /// a route that does not use the session. If another source that comes first holds a token,
    /// the ticket is not used. The parameter is removed from the URI like those with tokens.
    ///
    /// A ticket works for one request. A link preview or a reload spends it or finds it spent. An
    /// `EventSource` that loses its connection repeats its URL: the page has to get another ticket
    /// then, as in `examples/live.rs`.
    Ticket(Arc<str>),
}

impl TokenSource {
    /// Returns the source for `Authorization` with this scheme, whose case does not matter.
    ///
    /// ```
    /// use jwt_redis_session::{TokenSource, TokenSources};
    ///
    /// // Authorization: Token <token>
    /// let sources = TokenSources::new([TokenSource::authorization("Token")]);
    /// # assert_eq!(TokenSource::authorization("BEARER"), TokenSource::Bearer);
    /// ```
    #[must_use]
    pub fn authorization(scheme: impl Into<String>) -> Self {
        let mut scheme = scheme.into();
        // Equal for all cases, so that a list has each scheme once.
        scheme.make_ascii_lowercase();
        match &*scheme {
            "bearer" => Self::Bearer,
            _ => Self::Authorization(scheme.into()),
        }
    }

    /// Returns the source for the query parameter `name`.
    #[must_use]
    pub fn query(name: impl Into<Arc<str>>) -> Self {
        Self::Query(name.into())
    }

    /// Returns the source for the cookie `name`.
    #[must_use]
    pub fn cookie(name: impl Into<Arc<str>>) -> Self {
        Self::Cookie(name.into())
    }

    /// Returns the source for tickets in the query parameter `name`.
    ///
    /// Not in any default list; see [`Session::ticket`](crate::Session::ticket).
    #[must_use]
    pub fn ticket(name: impl Into<Arc<str>>) -> Self {
        Self::Ticket(name.into())
    }

    /// Returns the kind of source in `snake_case`, as logs name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Bearer => "bearer",
            Self::Authorization(_) => "authorization",
            Self::Query(_) => "query",
            Self::Cookie(_) => "cookie",
            Self::WebSocketProtocol => "websocket_protocol",
            Self::Ticket(_) => "ticket",
        }
    }
}
