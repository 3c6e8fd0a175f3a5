//! HMAC (RFC 2104).

use aws_lc_rs::hmac;

use super::hash::Hash;

/// Key of an HMAC, prepared once so that each use costs only the message.
pub(crate) struct HmacKey(hmac::Key);

impl HmacKey {
    /// Prepares `secret`; only the hash states that it leads to are kept.
    pub(crate) fn new(hash: Hash, secret: &[u8]) -> Self {
        let algorithm = match hash {
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha384 => hmac::HMAC_SHA384,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        Self(hmac::Key::new(algorithm, secret))
    }

    /// Returns the tag of `message`: 32, 48 or 64 bytes.
    pub(crate) fn sign(&self, message: &[u8]) -> impl AsRef<[u8]> + use<> {
        hmac::sign(&self.0, message)
    }

    /// Compares in constant time.
    pub(crate) fn verify(&self, message: &[u8], tag: &[u8]) -> bool {
        hmac::verify(&self.0, message, tag).is_ok()
    }
}
