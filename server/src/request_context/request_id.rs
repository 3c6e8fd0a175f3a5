//! Request ids.
//!
//! `tower_http::request_id` accepts any id that a client sends, up to the size of the head. Its two
//! layers take 11 allocations per request more than a layer that does nothing, and all that
//! `observe` does takes 6 (`tests/it/layers.rs` prints the numbers).

use http::{HeaderMap, HeaderName, HeaderValue};
use uuid::Uuid;

/// The longest id of a client.
const MAX: usize = 64;

/// The id of a request, which is safe to log. It is held in place, so that copies cost no
/// allocation.
#[derive(Clone, Copy)]
pub(crate) struct RequestId {
    bytes: [u8; MAX],
    len: usize,
}

impl RequestId {
    /// The header of the id in requests and responses.
    pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

    /// Returns the id that the client sent if it needs no escaping in a log, or else a random one.
    pub(super) fn of(headers: &HeaderMap) -> Self {
        let mut bytes = [0; MAX];
        let len = match headers.get(&Self::HEADER).map(HeaderValue::as_bytes) {
            Some(id) if is_loggable(id) => {
                bytes[..id.len()].copy_from_slice(id);
                id.len()
            }
            _ => Uuid::new_v4().simple().encode_lower(&mut bytes).len(),
        };
        Self { bytes, len }
    }

    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or_default()
    }
}

fn is_loggable(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    (1..=MAX).contains(&id.len()) && id.iter().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(sent: &[u8]) -> String {
        let value = HeaderValue::from_bytes(sent).unwrap();
        let headers = HeaderMap::from_iter([(RequestId::HEADER, value)]);
        RequestId::of(&headers).as_str().to_owned()
    }

    #[test]
    fn an_id_that_is_safe_to_log_is_kept() {
        for safe in ["a", "A-b_c.9", &"x".repeat(64)] {
            assert_eq!(id(safe.as_bytes()), safe);
        }
        for unsafe_id in ["", "a b", "a\"b", "a\tb", "caf\u{e9}", &"x".repeat(65)] {
            assert_eq!(id(unsafe_id.as_bytes()).len(), 32, "{unsafe_id}");
        }
        assert_ne!(id(b""), id(b""));
    }
}
