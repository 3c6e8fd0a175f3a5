//! Secrets of the configuration.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::crypto;

/// A secret: never printed, wiped from memory when dropped.
///
/// ```
/// use jwt_redis_session_server::Secret;
///
/// let secret = Secret::from("correct horse battery staple");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// assert_ne!(Secret::random(), Secret::random());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The length of the shortest secret that any setting accepts, in bytes.
    pub const MIN_LEN: usize = 32;

    /// Draws a secret of 512 random bits, written as 88 characters of base62.
    #[must_use]
    pub fn random() -> Self {
        // 22 digits hold 128 bits.
        let quarters = [(); 4].map(|()| crypto::base62(crypto::random_128(), 22));
        Self(Zeroizing::new(quarters.concat()))
    }

    /// Returns the secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Compares with `other` in a time that depends only on the lengths.
    pub(crate) fn equals(&self, other: &[u8]) -> bool {
        crypto::equal(self.0.as_bytes(), other)
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(Zeroizing::new(secret.to_owned()))
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `String`: YAML reads digits without quotes as a number, and `config` would write that
        // number differently. Serde's own error would quote the value.
        match Value::deserialize(deserializer) {
            Ok(Value::String(mut secret)) => {
                // A newline that ends a block of YAML, or was copied into a variable.
                secret.truncate(secret.trim_end_matches(['\r', '\n']).len());
                Ok(Self(Zeroizing::new(secret)))
            }
            _ => Err(D::Error::custom("must be a string in quotes")),
        }
    }
}
