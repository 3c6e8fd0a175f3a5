//! Error of the configuration of a cookie.

use crate::error_debug::debug_with_message;

/// Error returned for a [`SessionCookie`](super::SessionCookie) that browsers would not accept.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidCookie {
    /// The name is empty, has a character that a cookie name cannot have, or starts with `__`.
    #[error(
        "the name of the cookie is not valid; use letters, digits, `-` and `_`, \
         without the prefix `__Host-` or `__Secure-`, which is added"
    )]
    Name,
    /// The domain is not the name of a host.
    #[error("the domain of the cookie is not valid; use a host name such as `example.com`")]
    Domain,
    /// The path does not start with `/`, or has a character that a path cannot have.
    #[error("the path of the cookie is not valid; use one such as `/app`, without `;`")]
    Path,
    /// `SameSite=None` without `Secure`.
    #[error("a cookie with `SameSite=None` needs `Secure`; use another value for development")]
    SameSiteNone,
}

debug_with_message!(InvalidCookie: Name, Domain, Path, SameSiteNone);
