//! Token sources in the head of a request.

use std::sync::Arc;

use http::HeaderName;

/// Place in the head of a request where a token may be.
///
/// Body fields are added with [`TokenSources::or_body`](crate::TokenSources::or_body) instead, and
/// are always searched last.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenSource {
    /// A header whose whole value is the token, such as `x-access-token`.
    Header(HeaderName),
    /// `Authorization: Bearer <token>`; other schemes are ignored.
    Bearer,
    /// A query parameter.
    ///
    /// URLs end up in logs, histories and `Referer` headers; see
    /// [`TokenSources::headers_only`](crate::TokenSources::headers_only).
    Query(Arc<str>),
    /// A cookie. The browser sends it with every request, also from other sites, so the application
    /// needs its own protection against cross-site request forgery.
    Cookie(Arc<str>),
}

impl TokenSource {
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

    /// Returns the kind of source in `snake_case`, as logs name it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Header(_) => "header",
            Self::Bearer => "bearer",
            Self::Query(_) => "query",
            Self::Cookie(_) => "cookie",
        }
    }
}
