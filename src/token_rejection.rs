//! Why a presented token gives no session.

use std::fmt;

/// Says why a presented token gives no session.
///
/// For logs, metrics and tests: the client is told nothing but "invalid token", whatever the
/// reason, so that no answer can be used to probe tokens (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenRejection {
    /// The request carries more than one token where one may stand.
    Ambiguous,
    /// The token is longer than the limit (8192 bytes).
    TooLong,
    /// The token is not a JWT in compact serialisation, or not the text of an opaque token, or a
    /// claim cannot be read (a lone surrogate, nested more than 127 deep, a number too large).
    Malformed,
    /// The header's `alg` is not the configured algorithm.
    Algorithm,
    /// The header carries a parameter that changes what the token means (`crit`, `b64`, `enc`,
    /// `zip`, `cty`, a foreign `typ`), or names a key that is not in the key ring.
    HeaderParam,
    /// The signature is not by a key of the key ring.
    Signature,
    /// The token, or the session's absolute lifetime, has run out.
    Expired,
    /// The token's `nbf` lies in the future.
    NotYetValid,
    /// A registered claim has the wrong type, or one that is required is missing.
    Claim,
    /// The token has no `jti`.
    MissingId,
    /// The token's `jti` is not the id of a session.
    InvalidId,
    /// The token is for another audience.
    Audience,
    /// The token is by another issuer.
    Issuer,
    /// The store knows no such session: destroyed, expired, evicted, or of another keyspace.
    Unknown,
    /// What stands under the session's key is not a record.
    Corrupt,
    /// The body is longer than the limit within which a token is looked for.
    BodyTooLarge,
    /// The body is not what its `Content-Type` says, or could not be read.
    BodyMalformed,
    /// The body did not arrive within the read deadline.
    BodyTimeout,
}

impl TokenRejection {
    /// The reason in `snake_case`, as logs and metrics name it.
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
            Self::BodyTooLarge => "body_too_large",
            Self::BodyMalformed => "body_malformed",
            Self::BodyTimeout => "body_timeout",
        }
    }
}

impl fmt::Display for TokenRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
