//! Result of the introspection of a token.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;

use crate::clock::{from_unix_millis, unix_millis};
use crate::id::SessionId;
use crate::session::Session;
use crate::token::Claims;

/// Result of [`Introspection`](super::Introspection), which serializes to the JSON of RFC 7662
/// section 2.2.
///
/// | member | of an active token |
/// |---|---|
/// | `active` | `true`; all other tokens have only `{"active":false}` |
/// | `sub` | the owner of the session; absent if it has none |
/// | `exp` | when the session ends if it is not used again, or at the latest; for an old token the end of its [grace](crate::Session::rotate_with_grace); absent if it does not expire |
/// | `iat` | when the token was signed; for an opaque token, when the session was created |
/// | `jti` | the id of the session |
/// | `token_type` | `Bearer` |
///
/// Times are whole Unix seconds, rounded down. A use of the session moves `exp`. A gateway may
/// cache the response until `exp`, but does not notice a logout before. `Debug` prints only
/// `active`.
///
/// See [`Introspection`](super::Introspection) for an example.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct TokenInfo {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<SessionId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
}

impl TokenInfo {
    pub(super) const INACTIVE: Self = Self {
        active: false,
        sub: None,
        exp: None,
        iat: None,
        jti: None,
        token_type: None,
    };

    /// Returns the information on the token that has opened `session`, and whose grace ends at
    /// `grace_end` (Unix milliseconds).
    pub(super) fn of(session: &Session, grace_end: Option<i64>) -> Self {
        let claims = session.claims();
        let expires = claims.as_ref().and_then(Claims::expires_at);
        let grace_end = grace_end.and_then(from_unix_millis);
        let ends = [session.expires_at(), expires, grace_end];
        let end = ends.into_iter().flatten().min();
        let issued = claims.as_ref().and_then(Claims::issued_at);
        Self {
            active: true,
            sub: session.owner(),
            exp: end.map(seconds),
            iat: issued.or_else(|| session.created_at()).map(seconds),
            jti: session.id(),
            token_type: Some("Bearer"),
        }
    }

    /// Returns whether the token gives a session.
    #[must_use]
    pub const fn is_active(&self) -> bool {
        self.active
    }
}

fn seconds(time: SystemTime) -> i64 {
    unix_millis(time).div_euclid(1000)
}

impl fmt::Debug for TokenInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenInfo")
            .field("active", &self.active)
            .finish_non_exhaustive()
    }
}
