//! Cryptographic primitives of the service.
//!
//! The library has a similar module. Sharing it would make cryptography part of its public API.

use aws_lc_rs::{constant_time, digest, hmac, rand};

/// The number of base62 digits that hold 128 bits.
const DIGITS_128: usize = 22;

/// Hashes `data` with SHA-256.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
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
    let mut tag = [0; 32];
    tag.copy_from_slice(context.sign().as_ref());
    tag
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

/// Returns 512 random bits as 88 digits of base62.
pub(crate) fn random_text() -> String {
    [(); 4].map(|()| base62(random_128(), DIGITS_128)).concat()
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
        assert_eq!(base62(u128::MAX, DIGITS_128), "7n42DGM5Tflk9n8mt7Fhc7");
        assert_eq!(random_text().len(), 88);
        assert_ne!(random_text(), random_text());
    }

    #[test]
    fn lists_of_parts_with_equal_concatenation_have_different_tags() {
        let tag = |parts: &[&[u8]]| hmac_sha256(b"secret", parts);
        assert_ne!(tag(&[b"ab", b"c"]), tag(&[b"a", b"bc"]));
    }
}
