//! Secrets of the configuration.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use zeroize::Zeroizing;

/// A secret: never printed, wiped from memory when dropped.
///
/// ```
/// use jwt_redis_session_server::Secret;
///
/// let secret = Secret::from("correct horse battery staple");
/// assert_eq!(format!("{secret:?}"), "[redacted]");
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// The length of the shortest secret that any setting accepts, in bytes.
    pub const MIN_LEN: usize = 32;

    /// Draws a secret of 512 random bits, written as 88 characters of base62.
    #[must_use]
    pub fn random() -> Self {
        Self(Zeroizing::new(crate::crypto::random_text()))
    }

    /// Returns the secret itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(secret: &str) -> Self {
        Self(Zeroizing::new(secret.to_owned()))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Not `deserialize_string`: YAML reads digits without quotes as a number, and `config`
        // would write that number differently. Serde's own error would quote the value.
        let secret = deserializer.deserialize_any(TextVisitor);
        secret.map_err(|_| D::Error::custom("must be a string in quotes"))
    }
}

struct TextVisitor;

impl Visitor<'_> for TextVisitor {
    type Value = Secret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E>(self, text: &str) -> Result<Secret, E> {
        Ok(Secret::from(text))
    }
}
