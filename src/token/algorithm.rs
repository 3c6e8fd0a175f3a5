//! Signature algorithms.

use std::fmt;
use std::str::FromStr;

use crate::crypto::Scheme;
use crate::error_debug::debug_with_message;

/// Signature algorithm of tokens (RFC 7518 section 3.1, RFC 8037); a key ring has exactly one.
///
/// Defaults to [`Algorithm::Hs256`]. Displayed and parsed as the names of the RFCs, which are
/// case-sensitive:
///
/// ```
/// use jwt_redis_session::Algorithm;
///
/// assert_eq!("EdDSA".parse(), Ok(Algorithm::EdDsa));
/// assert_eq!(Algorithm::Ps256.to_string(), "PS256");
/// assert!("none".parse::<Algorithm>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// HMAC with SHA-256.
    #[default]
    Hs256,
    /// HMAC with SHA-384.
    Hs384,
    /// HMAC with SHA-512.
    Hs512,
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    Rs512,
    /// RSA-PSS with SHA-256.
    Ps256,
    /// RSA-PSS with SHA-384.
    Ps384,
    /// RSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// Ed25519 (RFC 8037).
    EdDsa,
}

/// Every algorithm with its name and its signatures, in the order of the enum.
const TABLE: [(Algorithm, &str, Scheme); 12] = [
    (Algorithm::Hs256, "HS256", Scheme::HS256),
    (Algorithm::Hs384, "HS384", Scheme::HS384),
    (Algorithm::Hs512, "HS512", Scheme::HS512),
    (Algorithm::Rs256, "RS256", Scheme::RS256),
    (Algorithm::Rs384, "RS384", Scheme::RS384),
    (Algorithm::Rs512, "RS512", Scheme::RS512),
    (Algorithm::Ps256, "PS256", Scheme::PS256),
    (Algorithm::Ps384, "PS384", Scheme::PS384),
    (Algorithm::Ps512, "PS512", Scheme::PS512),
    (Algorithm::Es256, "ES256", Scheme::ES256),
    (Algorithm::Es384, "ES384", Scheme::ES384),
    (Algorithm::EdDsa, "EdDSA", Scheme::Ed25519),
];

impl Algorithm {
    /// Returns the name in the header of a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        TABLE[self as usize].1
    }

    pub(super) const fn scheme(self) -> Scheme {
        TABLE[self as usize].2
    }

    /// Describes the keys that the algorithm takes.
    pub(super) const fn takes(self) -> &'static str {
        match self {
            Self::Hs256 | Self::Hs384 | Self::Hs512 => "a secret",
            Self::Rs256 | Self::Rs384 | Self::Rs512 | Self::Ps256 | Self::Ps384 | Self::Ps512 => {
                "an RSA key (rsaEncryption) of 2048 to 8192 bits"
            }
            Self::Es256 => "an EC key on P-256",
            Self::Es384 => "an EC key on P-384",
            Self::EdDsa => "an Ed25519 key",
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    fn from_str(name: &str) -> Result<Self, UnknownAlgorithm> {
        let row = TABLE.iter().find(|row| row.1 == name);
        row.map(|row| row.0).ok_or(UnknownAlgorithm(()))
    }
}

/// Error returned when an unknown name is parsed as an [`Algorithm`].
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown algorithm; use one of HS256, HS384, HS512, RS256, RS384, RS512, \
     PS256, PS384, PS512, ES256, ES384, EdDSA"
)]
pub struct UnknownAlgorithm(());

debug_with_message!(UnknownAlgorithm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn algorithms_are_parsed_by_their_exact_names() {
        for (algorithm, name, _) in TABLE {
            assert_eq!(algorithm.as_str(), name);
            assert_eq!(name.parse(), Ok(algorithm));
        }
        for bad in ["", "none", "hs256", "HS256 ", "EdDsa", "ES512", "ES256K"] {
            assert!(bad.parse::<Algorithm>().is_err(), "{bad:?}");
        }
    }
}
