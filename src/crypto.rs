//! The cryptographic primitives that sessions rest on: SHA-256, HMAC, random bytes.
//!
//! The only door to `aws-lc-rs` and `getrandom`.

use aws_lc_rs::signature::{self, ParsedPublicKey};
use aws_lc_rs::{digest, hmac};
pub(crate) use hmac::Key as HmacKey;

/// The hash that an HMAC is made with.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The length in bytes: 32, 48 or 64.
    pub(crate) const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// Prepares an HMAC key once, so that each use costs only the message.
pub(crate) fn hmac_key(hash: Hash, secret: &[u8]) -> HmacKey {
    let algorithm = match hash {
        Hash::Sha256 => hmac::HMAC_SHA256,
        Hash::Sha384 => hmac::HMAC_SHA384,
        Hash::Sha512 => hmac::HMAC_SHA512,
    };
    HmacKey::new(algorithm, secret)
}

/// Signs `message`; 32, 48 or 64 bytes by the key's hash.
pub(crate) fn hmac_sign(key: &HmacKey, message: &[u8]) -> hmac::Tag {
    hmac::sign(key, message)
}

/// Compares in constant time.
pub(crate) fn hmac_verify(key: &HmacKey, message: &[u8], tag: &[u8]) -> bool {
    hmac::verify(key, message, tag).is_ok()
}

/// Hashes `bytes` with SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// Is this a public key of P-256, an uncompressed point on the curve?
pub(crate) fn is_p256_point(bytes: &[u8]) -> bool {
    bytes.len() == 65 && ParsedPublicKey::new(&signature::ECDSA_P256_SHA256_FIXED, bytes).is_ok()
}

/// Is this a public key of P-384, an uncompressed point on the curve?
pub(crate) fn is_p384_point(bytes: &[u8]) -> bool {
    bytes.len() == 97 && ParsedPublicKey::new(&signature::ECDSA_P384_SHA384_FIXED, bytes).is_ok()
}

/// Is this a public key of Ed25519?
pub(crate) fn is_ed25519_point(bytes: &[u8]) -> bool {
    bytes.len() == 32 && ParsedPublicKey::new(&signature::ED25519, bytes).is_ok()
}

/// Fills `bytes` from the operating system's random number generator.
///
/// # Panics
///
/// Panics if the operating system has no randomness to give: there is no safe way to go on.
pub(crate) fn fill_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the operating system has no random number generator");
}
