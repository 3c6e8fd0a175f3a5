//! Cryptographic primitives of the service.
//!
//! The library has a similar module. Sharing it would make cryptography part of its public API.

use aws_lc_rs::{constant_time, digest, hmac, rand};

/// Hashes `data` with SHA-256.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let hash = digest::digest(&digest::SHA256, data);
    hash.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Returns the HMAC-SHA-256 of `parts`.
///
/// Each part is preceded by its length, so that different lists with the same concatenation have
/// different tags.
pub(crate) fn hmac_sha256(secret: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut context = hmac::Context::with_key(&hmac::Key::new(hmac::HMAC_SHA256, secret));
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let tag = context.sign();
    tag.as_ref().try_into().expect("SHA-256 has 32 bytes")
}

/// Returns whether `a` equals `b`, in a time that depends only on their lengths.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Returns 128 random bits.
///
/// # Panics
///
/// If the operating system provides no randomness. Continuing would make every secret guessable.
pub(crate) fn random_128() -> u128 {
    let mut bits = [0; 16];
    rand::fill(&mut bits).expect("the operating system has randomness");
    u128::from_be_bytes(bits)
}

/// Writes `number` in base62, padded with zeros to `width` digits.
pub(crate) fn base62(number: u128, width: usize) -> String {
    format!("{:0>width$}", base62::encode(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_has_a_fixed_width() {
        assert_eq!(base62(61, 3), "00z");
        assert_eq!(base62(62, 3), "010");
        assert_eq!(base62(u128::MAX, 22), "7n42DGM5Tflk9n8mt7Fhc7");
    }

    #[test]
    fn lists_of_parts_with_equal_concatenation_have_different_tags() {
        let tag = |parts: &[&[u8]]| hmac_sha256(b"secret", parts);
        assert_ne!(tag(&[b"ab", b"c"]), tag(&[b"a", b"bc"]));
    }
}
