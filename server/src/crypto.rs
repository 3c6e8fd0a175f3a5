//! The few cryptographic primitives the service needs; the only place that names aws-lc-rs.

use aws_lc_rs::{constant_time, digest, hmac, rand};

/// The characters of base62, in the order of their values.
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// How many characters of base62 hold 128 bits.
const DIGITS_128: usize = 22;

/// SHA-256.
pub(crate) fn sha256(data: &[u8]) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, data).as_ref());
    hash
}

/// HMAC-SHA-256 over `parts`, each preceded by its length, so that no two lists of parts give
/// the same input.
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

/// Compares in a time that depends on the lengths only.
pub(crate) fn equal(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(a, b).is_ok()
}

/// Fills `buffer` with random bytes.
///
/// # Panics
///
/// If the operating system gives none, without which nothing here could be secure.
pub(crate) fn fill_random(buffer: &mut [u8]) {
    rand::fill(buffer).expect("the operating system has randomness");
}

/// 512 random bits in base62: 88 characters, enough for a secret of any use.
pub(crate) fn random_text() -> String {
    let mut bits = [0; 64];
    fill_random(&mut bits);
    bits.chunks_exact(16)
        .map(|bits| u128::from_be_bytes(bits.try_into().expect("a chunk is 16 bytes")))
        .map(|number| base62(number, DIGITS_128))
        .collect()
}

/// `number` in base62, with leading zeros up to `width`.
pub(crate) fn base62(mut number: u128, width: usize) -> String {
    let mut digits = vec![b'0'; width];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(number % 62) as usize];
        number /= 62;
    }
    digits.into_iter().map(char::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base62_is_of_fixed_width() {
        assert_eq!(base62(0, 3), "000");
        assert_eq!(base62(61, 3), "00z");
        assert_eq!(base62(62, 3), "010");
        assert_eq!(base62(u128::MAX, DIGITS_128), "7n42DGM5Tflk9n8mt7Fhc7");
    }

    #[test]
    fn parts_cannot_be_shifted_into_one_another() {
        let tag = |parts: &[&[u8]]| hmac_sha256(b"secret", parts);
        assert_ne!(tag(&[b"ab", b"c"]), tag(&[b"a", b"bc"]));
        assert_eq!(tag(&[b"ab", b"c"]), tag(&[b"ab", b"c"]));
    }

    #[test]
    fn random_texts_differ() {
        assert_eq!(random_text().len(), 88);
        assert_ne!(random_text(), random_text());
    }
}
