//! SHA-2 and HMAC (RFC 2104).

use aws_lc_rs::{digest, hmac};

/// Hashes `bytes` with SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Algorithm of an HMAC.
#[derive(Clone, Copy)]
pub(crate) struct Hmac(hmac::Algorithm);

impl Hmac {
    pub(crate) const HS256: Self = Self(hmac::HMAC_SHA256);
    pub(crate) const HS384: Self = Self(hmac::HMAC_SHA384);
    pub(crate) const HS512: Self = Self(hmac::HMAC_SHA512);

    /// Returns the length of a tag in bytes: 32, 48 or 64.
    pub(crate) fn tag_len(self) -> usize {
        self.0.digest_algorithm().output_len
    }
}

/// Key of an HMAC, prepared once so that each use costs only the message.
pub(crate) struct HmacKey(hmac::Key);

impl HmacKey {
    /// Prepares `secret`; only the hash states that it leads to are kept.
    pub(crate) fn new(algorithm: Hmac, secret: &[u8]) -> Self {
        Self(hmac::Key::new(algorithm.0, secret))
    }

    /// Returns the tag of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        hmac::sign(&self.0, message)
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}
