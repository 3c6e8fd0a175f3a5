//! Signature algorithms.

use std::fmt;
use std::str::FromStr;

use crate::crypto::{Hash, Scheme};

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

impl Algorithm {
    pub(super) const ALL: [Self; 12] = [
        Self::Hs256,
        Self::Hs384,
        Self::Hs512,
        Self::Rs256,
        Self::Rs384,
        Self::Rs512,
        Self::Ps256,
        Self::Ps384,
        Self::Ps512,
        Self::Es256,
        Self::Es384,
        Self::EdDsa,
    ];

    /// Returns the name in the header of a token.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Ps256 => "PS256",
            Self::Ps384 => "PS384",
            Self::Ps512 => "PS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::EdDsa => "EdDSA",
        }
    }

    pub(super) const fn family(self) -> Family {
        match self {
            Self::Hs256 => Family::Hmac(Hash::Sha256),
            Self::Hs384 => Family::Hmac(Hash::Sha384),
            Self::Hs512 => Family::Hmac(Hash::Sha512),
            Self::Rs256 => Family::KeyPair(Scheme::RsaPkcs1(Hash::Sha256)),
            Self::Rs384 => Family::KeyPair(Scheme::RsaPkcs1(Hash::Sha384)),
            Self::Rs512 => Family::KeyPair(Scheme::RsaPkcs1(Hash::Sha512)),
            Self::Ps256 => Family::KeyPair(Scheme::RsaPss(Hash::Sha256)),
            Self::Ps384 => Family::KeyPair(Scheme::RsaPss(Hash::Sha384)),
            Self::Ps512 => Family::KeyPair(Scheme::RsaPss(Hash::Sha512)),
            Self::Es256 => Family::KeyPair(Scheme::EcdsaP256),
            Self::Es384 => Family::KeyPair(Scheme::EcdsaP384),
            Self::EdDsa => Family::KeyPair(Scheme::Ed25519),
        }
    }

    /// Describes the keys that the algorithm takes.
    pub(super) const fn takes(self) -> &'static str {
        match self.family() {
            Family::Hmac(_) => "a secret",
            Family::KeyPair(Scheme::RsaPkcs1(_) | Scheme::RsaPss(_)) => {
                "an RSA key of 2048 to 8192 bits"
            }
            Family::KeyPair(Scheme::EcdsaP256) => "an EC key on P-256",
            Family::KeyPair(Scheme::EcdsaP384) => "an EC key on P-384",
            Family::KeyPair(Scheme::Ed25519) => "an Ed25519 key",
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
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.as_str() == name)
            .ok_or(UnknownAlgorithm(()))
    }
}

/// Error returned when an unknown name is parsed as an [`Algorithm`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "unknown algorithm: use one of HS256, HS384, HS512, RS256, RS384, RS512, \
     PS256, PS384, PS512, ES256, ES384, EdDSA"
)]
pub struct UnknownAlgorithm(());

/// What the keys of an algorithm are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Family {
    Hmac(Hash),
    KeyPair(Scheme),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_algorithm_is_found_by_its_name_and_nothing_else_is() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.to_string().parse(), Ok(algorithm));
        }
        for bad in [
            "", "none", "hs256", "HS256 ", "EdDsa", "EDDSA", "ES512", "ES256K",
        ] {
            assert!(bad.parse::<Algorithm>().is_err(), "{bad:?}");
        }
        assert_eq!(Algorithm::default(), Algorithm::Hs256);
    }
}
