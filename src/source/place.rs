//! One place where a token may stand.

use std::sync::Arc;

use http::HeaderName;

use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// One place in a request where a token may stand.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenSource {
    /// A header whose whole value is the token, such as `x-access-token`.
    Header(HeaderName),
    /// `Authorization: Bearer <token>`; other schemes are not ours and count as no token.
    Bearer,
    /// A parameter of the query.
    ///
    /// Addresses end up in logs, histories and `Referer` headers; see
    /// [`TokenSources::hardened`](crate::TokenSources::hardened).
    Query(Arc<str>),
    /// A top-level field of a JSON or form body.
    Body(Arc<str>),
    /// A cookie. The browser sends it by itself, so the app needs its own defence against
    /// cross-site request forgery.
    Cookie(Arc<str>),
}

impl TokenSource {
    /// The query parameter `name`.
    #[must_use]
    pub fn query(name: impl Into<Arc<str>>) -> Self {
        Self::Query(name.into())
    }

    /// The body field `name`.
    #[must_use]
    pub fn body(name: impl Into<Arc<str>>) -> Self {
        Self::Body(name.into())
    }

    /// The cookie `name`.
    #[must_use]
    pub fn cookie(name: impl Into<Arc<str>>) -> Self {
        Self::Cookie(name.into())
    }

    /// The kind of place in `snake_case`, as logs and metrics name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Bearer => "bearer",
            Self::Query(_) => "query",
            Self::Body(_) => "body",
            Self::Cookie(_) => "cookie",
        }
    }
}

/// A token, and where it stood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) token: Token,
    pub(crate) source: TokenSource,
}

/// What looking for a token came to: `Ok(None)` if the request carries none.
pub(crate) type Outcome = Result<Option<Hit>, TokenRejection>;
