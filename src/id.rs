//! Session ids.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::span::span;
use crate::{crypto, encoding};

/// Id of a session: the `jti` claim of its token and the end of its Redis key.
///
/// Always 16 to 128 characters of `A-Z a-z 0-9 _ -`, so an id can never leave its keyspace.
/// Knowing an id grants no access; only the token does. Cloning does not copy the text.
/// `Debug` and `Display` print only a short hash; [`SessionId::as_str`] returns the id itself.
///
/// ```
/// use jwt_redis_session::SessionId;
///
/// let id = SessionId::parse("order-2024-000017")?;
/// assert_eq!(id.as_str(), "order-2024-000017"); // for an API, a page or a database
/// assert_eq!(id.to_string(), "21a532c4"); // a hash, for logs
///
/// assert!(SessionId::parse("../too/short").is_err());
/// assert_ne!(SessionId::random(), SessionId::random());
/// # Ok::<(), jwt_redis_session::session::InvalidSessionId>(())
/// ```
#[derive(Clone)]
pub struct SessionId {
    /// The id, or the claims of the token that names it: verifying a token copies no id.
    text: Arc<str>,
    range: Range<usize>,
}

impl SessionId {
    /// Creates a random id: 16 bytes from the operating system, 22 characters of base64url.
    ///
    /// # Panics
    ///
    /// Panics if the operating system has no random number generator.
    #[must_use]
    pub fn random() -> Self {
        let mut bytes = [0; 16];
        crypto::fill_random(&mut bytes);
        Self::from_bytes(&bytes)
    }

    /// Encodes 12 to 32 bytes, random or a hash, as an id.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        let text = encoding::shared_base64url(bytes);
        let range = 0..text.len();
        Self { text, range }
    }

    /// Parses an id.
    ///
    /// # Errors
    ///
    /// [`InvalidSessionId`] unless `id` matches `^[A-Za-z0-9_-]{16,128}$`.
    pub fn parse(id: impl AsRef<str>) -> Result<Self, InvalidSessionId> {
        let text = id.as_ref().into();
        Self::parse_within(&text, &text)
    }

    /// As [`parse`](Self::parse), without a copy if `id` is a part of `text`.
    pub(crate) fn parse_within(text: &Arc<str>, id: &str) -> Result<Self, InvalidSessionId> {
        // Without an early end, so that the compiler can look at many bytes at once.
        let is_legal = |all, byte| all & Self::is_legal(char::from(byte));
        if !(16..=128).contains(&id.len()) || !id.bytes().fold(true, is_legal) {
            return Err(InvalidSessionId(()));
        }
        // An id with escapes was copied out of the text.
        let Some(range) = span(text, id) else {
            return Self::parse(id);
        };
        let text = Arc::clone(text);
        Ok(Self { text, range })
    }

    /// Whether ids may contain `character`.
    pub(crate) const fn is_legal(character: char) -> bool {
        matches!(character, 'A'..='Z' | 'a'..='z' | '0'..='9' | '_' | '-')
    }

    /// Returns the id as it is written in a token and in Redis.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text[self.range.clone()]
    }
}

impl PartialEq for SessionId {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for SessionId {}

impl Hash for SessionId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl PartialOrd for SessionId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SessionId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

/// Prints eight hexadecimal digits of the SHA-256 of the id: enough to follow a session through a
/// log, too little to find the id.
impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = crypto::sha256(self.as_str().as_bytes());
        f.write_str(&encoding::hex(&hash[..4]))
    }
}

impl fmt::Debug for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SessionId(#{self})")
    }
}

impl Serialize for SessionId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl AsRef<str> for SessionId {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

/// Error returned by [`SessionId::parse`] for text that is not a session id.
///
/// See [`SessionId`] for an example.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the text is not a session id; use 16 to 128 characters of A-Z a-z 0-9 _ -")]
pub struct InvalidSessionId(());

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn only_ids_that_stay_in_their_keyspace_are_parsed() {
        let long = "a".repeat(128);
        for good in ["0123456789abcdef", "A_-aA_-aA_-aA_-a", &long] {
            assert_eq!(SessionId::parse(good).unwrap().as_str(), good);
        }
        for bad in [
            "",
            "0123456789abcde",
            "0123456789abcde:",
            "*aaaaaaaaaaaaaaaa",
            "aaaaaaaaaaaaaaaa\r\n",
            "aaaaaaaaaaaaaaa\0",
            "{aaaaaaaaaaaaaaaa}",
            "ääääääääääääääää",
            &(long + "a"),
        ] {
            assert!(SessionId::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn part_of_a_text_equals_a_copy() {
        let text: Arc<str> = r#"{"jti":"0123456789abcdef","aud":"short"}"#.into();
        let copy = SessionId::parse("0123456789abcdef").unwrap();
        let part = SessionId::parse_within(&text, &text[8..24]).unwrap();
        assert!(Arc::ptr_eq(&part.text, &text));
        assert_eq!(HashSet::from([copy, part]).len(), 1);
        assert!(SessionId::parse_within(&text, "short").is_err());
        let elsewhere = SessionId::parse_within(&text, "0123456789ABCDEF").unwrap();
        assert_eq!(elsewhere.as_str(), "0123456789ABCDEF");
    }

    #[test]
    fn printed_id_is_a_short_hash() {
        let id = SessionId::random();
        assert!(!format!("{id} {id:?}").contains(id.as_str()));
        assert_eq!(format!("{id}").len(), 8);
    }
}
