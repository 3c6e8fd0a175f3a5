//! How tokens are signed.

use serde::Deserialize;

use crate::secret::Secret;

/// How the tokens of the RPC API are signed, and API keys derived: section `tokens`.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenSettings {
    /// The signature algorithm. Defaults to `HS256`.
    pub algorithm: TokenAlgorithm,
    /// The secret, at least 32 bytes (48 for HS384, 64 for HS512); `sessiond generate-secret`
    /// makes one. Defaults to none: a random one until the service ends, which is refused with
    /// Redis, where sessions outlive the service.
    pub secret: Option<Secret>,
    /// Secrets that were used before and whose tokens are still good, at most two. Defaults to
    /// none.
    pub previous_secrets: Vec<Secret>,
}

/// A signature algorithm (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256.
    #[default]
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}
