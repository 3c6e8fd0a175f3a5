//! The form of a session id in the index of its owner.
//!
//! An id that encodes 16 or 32 bytes is stored as those bytes: 6 or 11 fewer than its text. Every
//! other id is stored as text. Bytes that could be the text of another id, because all of them are
//! characters of ids, are not used. So no two ids have the same form.

use redis::{RedisWrite, ToRedisArgs};

use crate::encoding;
use crate::id::SessionId;

/// The sizes of random ids and of hashes, in bytes.
const SIZES: [usize; 2] = [16, 32];

/// The largest size, rounded up to a multiple of 3.
const BUFFER: usize = 33;

/// An id as it is stored in an index.
pub(super) enum Member<'a> {
    Bytes([u8; BUFFER], usize),
    Text(&'a str),
}

impl<'a> Member<'a> {
    pub(super) fn of(id: &'a str) -> Self {
        let mut bytes = [0; BUFFER];
        match encoding::decode_base64url(id, &mut bytes) {
            Some(size) if is_encoded(&bytes[..size]) => Self::Bytes(bytes, size),
            _ => Self::Text(id),
        }
    }

    fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Bytes(bytes, size) => &bytes[..*size],
            Self::Text(id) => id.as_bytes(),
        }
    }
}

impl ToRedisArgs for Member<'_> {
    fn write_redis_args<W: ?Sized + RedisWrite>(&self, out: &mut W) {
        out.write_arg(self.as_bytes());
    }
}

/// Returns the id of a member, or `None` if the member is not text.
pub(super) fn read(member: Vec<u8>) -> Option<String> {
    if is_encoded(&member) {
        return Some(encoding::base64url(member));
    }
    String::from_utf8(member).ok()
}

/// Whether `bytes` represent the id that encodes them, and not the id that is their text.
fn is_encoded(bytes: &[u8]) -> bool {
    let is_text = || bytes.iter().all(|byte| SessionId::is_legal((*byte).into()));
    SIZES.contains(&bytes.len()) && !is_text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_read_as_it_was_stored() {
        let text = encoding::base64url("0123456789abcdef");
        for (id, length) in [
            ("AAAAAAAAAAAAAAAAAAAAAA", 16),
            ("_____________________w", 16),
            // Not the form in which 16 bytes are encoded.
            ("AAAAAAAAAAAAAAAAAAAAAB", 22),
            (&text, 22),
            ("0123456789abcdef", 16),
            ("0123456789abcdef01234", 21),
            ("0123456789abcdef0123456", 23),
            ("0123456789abcdef0123456789abcdef", 32),
            ("0f7b5c3e-52a4-4c0b-9d3a-6f2a1f0c9b8e", 36),
            (&encoding::base64url([7; 32]), 32),
            (&encoding::base64url("0123456789abcdef".repeat(2)), 43),
            (&"a".repeat(128), 128),
        ] {
            let stored = Member::of(id).as_bytes().to_vec();
            assert_eq!(stored.len(), length, "{id}");
            assert_eq!(read(stored).as_deref(), Some(id));
        }
        assert_eq!(read(vec![0xff]), None);
    }

    #[test]
    fn random_ids_are_stored_as_bytes() {
        for _ in 0..1_000 {
            let id = SessionId::random();
            let stored = Member::of(id.as_str()).as_bytes().to_vec();
            assert_eq!(stored.len(), 16);
            assert_eq!(read(stored).as_deref(), Some(id.as_str()));
        }
    }
}
