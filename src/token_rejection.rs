//! Why a presented token gives no session.

use std::fmt;

/// Reason why a presented token gives no session.
///
/// For logs, metrics and tests. The client gets the same response for every reason, so that it
/// cannot probe tokens (RFC 6750 section 3.1).
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, Sessions, TokenRejection};
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// let reason = sessions.verify("no token").unwrap_err();
/// assert_eq!(reason, TokenRejection::Malformed);
/// assert_eq!(reason.as_str(), "malformed");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenRejection {
    /// The request carries more than one token where one is allowed.
    Ambiguous,
    /// The token is longer than the limit (8192 bytes).
    TooLong,
    /// The token is not a JWT in compact serialization, or not the text of an opaque token, or a
    /// claim cannot be read (a lone surrogate, nested more than 127 deep, a number too large).
    Malformed,
    /// The header's `alg` is not the configured algorithm.
    Algorithm,
    /// The header carries a parameter that changes what the token means (`crit`, `b64`, `enc`,
    /// `zip`, `cty`, a foreign `typ`), or names a key that is not in the key ring.
    HeaderParam,
    /// The signature does not verify with any key of the key ring.
    Signature,
    /// The token, or the absolute lifetime of the session, has expired.
    Expired,
    /// The token's `nbf` is in the future.
    NotYetValid,
    /// A registered claim has the wrong type, or a required claim is missing.
    Claim,
    /// The token has no `jti`.
    MissingId,
    /// The token's `jti` is not the id of a session.
    InvalidId,
    /// The token is for another audience.
    Audience,
    /// The token is by another issuer.
    Issuer,
    /// The store has no such session: destroyed, expired, evicted, or of another keyspace. Or it
    /// has no such ticket: used or expired.
    Unknown,
    /// The value under the session's key is not a record.
    Corrupt,
}

impl TokenRejection {
    /// Returns the reason in `snake_case`, as logs and metrics name it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ambiguous => "ambiguous",
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::HeaderParam => "header_param",
            Self::Signature => "signature",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::Claim => "claim",
            Self::MissingId => "missing_id",
            Self::InvalidId => "invalid_id",
            Self::Audience => "audience",
            Self::Issuer => "issuer",
            Self::Unknown => "unknown",
            Self::Corrupt => "corrupt",
        }
    }
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
