//! Session ids.

use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::{crypto, encoding};

/// Name of one session: the `jti` claim of its token and the end of its Redis key.
///
/// Always 16 to 128 characters of `A-Z a-z 0-9 _ -`, so an id can never leave its keyspace.
/// Knowing an id grants no access; only the token does. Cloning does not copy the text.
/// `Debug` and `Display` print only a short hash; [`SessionId::as_str`] returns the id itself.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(Arc<str>);

impl SessionId {
    /// Creates a random id: 32 bytes from the operating system, 43 characters of base64url.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random number generator.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 32];
        crypto::fill_random(&mut bytes);
        Self(encoding::shared_base64url(&bytes))
    }

    /// Encodes a hash as an id: 43 characters of base64url.
    pub(crate) fn from_hash(hash: [u8; 32]) -> Self {
        Self(encoding::shared_base64url(&hash))
    }

    /// Parses an id.
    ///
    /// # Errors
    ///
    /// [`InvalidSessionId`] unless `id` matches `^[A-Za-z0-9_-]{16,128}$`.
    pub fn parse(id: impl AsRef<str>) -> Result<Self, InvalidSessionId> {
        let id = id.as_ref();
        if (16..=128).contains(&id.len()) && id.chars().all(Self::is_legal) {
            Ok(Self(id.into()))
        } else {
            Err(InvalidSessionId(()))
        }
    }

    /// Whether ids may contain `character`.
    pub(crate) const fn is_legal(character: char) -> bool {
        matches!(character, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-')
    }

    /// Returns the id as it is written in a token and in Redis.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Prints eight hexadecimal digits of the SHA-256 of the id: enough to follow a session through a
/// log, too little to find the id.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&encoding::hex(&crypto::sha256(self.0.as_bytes())[..4]))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId(#{self})")
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// Error returned by [`SessionId::parse`] for text that is not a session id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a session id is 16 to 128 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidSessionId(());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_ids_that_cannot_leave_their_keyspace_parse() {
        let long = "a".repeat(128);
        for good in ["0123456789abcdef", "A_-aA_-aA_-aA_-a", long.as_str()] {
            assert_eq!(SessionId::parse(good).unwrap().as_str(), good);
        }
        let too_long = "a".repeat(129);
        for bad in [
            "",
            "short",
            "0123456789abcde",
            "0123456789abcde:",
            "*aaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaa\r\n",
            "aaaaaaaaaaaaaaa\0",
            "{aaaaaaaaaaaaaaaa}",
            "ääääääääääääääää",
            too_long.as_str(),
        ] {
            assert!(SessionId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn printing_an_id_does_not_give_it_away() {
        let id = SessionId::random();
        for text in [format!("{id}"), format!("{id:?}")] {
            assert!(!text.contains(id.as_str()));
        }
        assert_eq!(format!("{id}").len(), 8);
    }
}
