//! The format of API keys: `jrs_`, 160 bits in base62 and a CRC-32 in base62.

use serde::{Deserialize, Serialize};

use crate::buckets::names::BucketName;
use crate::crypto;
use crate::secret::Secret;

/// The prefix of every key, by which secret scanners detect leaked keys.
const PREFIX: &str = "jrs_";

/// The number of base62 digits that hold 80 bits; a key has two such halves.
const HALF: usize = 14;

/// The number of base62 digits that hold a CRC-32.
const CHECKSUM: usize = 6;

/// The length of a key, in bytes.
const LEN: usize = PREFIX.len() + 2 * HALF + CHECKSUM;

/// Distinguishes keys from everything else that is derived from the same secret.
const PURPOSE: &[u8] = b"sessiond api key";

/// The SHA-256 of a key, which is stored. It needs no salt, because a key has 160 bits.
#[derive(Hash, Serialize, Deserialize)]
pub(crate) struct KeyHash(#[serde(with = "hex::serde")] [u8; 32]);

/// Derives the key of `bucket` from the service's secret and a nonce.
pub(super) fn derive(secret: &Secret, bucket: &BucketName, nonce: &str) -> Secret {
    let parts = [PURPOSE, bucket.as_str().as_bytes(), nonce.as_bytes()];
    let tag = crypto::hmac_sha256(secret.expose().as_bytes(), &parts);
    let half = |bytes: &[u8]| {
        let bits = bytes
            .iter()
            .fold(0, |bits, byte| bits << 8 | u128::from(*byte));
        crypto::base62(bits, HALF)
    };
    let unchecked = format!("{PREFIX}{}{}", half(&tag[..10]), half(&tag[10..20]));
    let checksum = checksum(unchecked.as_bytes());
    Secret::from(format!("{unchecked}{checksum}").as_str())
}

/// Returns the last digits of a key, so that a mistyped one is rejected without the store.
fn checksum(unchecked: &[u8]) -> String {
    crypto::base62(crc32fast::hash(unchecked).into(), CHECKSUM)
}

/// Returns the value of digits in base62.
fn value(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0, |value, digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        Some(value * 62 + u64::from(digit))
    })
}

impl KeyHash {
    /// Hashes `key`. `None` if it does not have the format of a key.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let (unchecked, sum) = key.split_at_checked(LEN - CHECKSUM)?;
        let valid = unchecked.starts_with(PREFIX.as_bytes())
            && value(sum) == Some(crc32fast::hash(unchecked).into());
        valid.then(|| Self(crypto::sha256(key)))
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        // In constant time, so that the duration does not reveal how many bytes are right.
        crypto::equal(&self.0, &other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> String {
        let bucket = BucketName::parse("bucket").unwrap();
        let key = derive(&Secret::from("secret"), &bucket, "nonce");
        key.expose().to_owned()
    }

    #[test]
    fn key_is_derived_from_secret_bucket_and_nonce() {
        assert_eq!(key(), "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W");
    }

    #[test]
    fn checksums_are_read_as_they_are_written() {
        for number in [0, 9, 10, 61, 62, u32::MAX] {
            let digits = crypto::base62(number.into(), CHECKSUM);
            assert_eq!(value(digits.as_bytes()), Some(number.into()), "{digits}");
        }
        assert_eq!(value(b"00000-"), None);
    }

    #[test]
    fn mistyped_key_has_no_hash() {
        let key = key();
        assert!(KeyHash::of(key.as_bytes()).is_some());
        for index in 0..key.len() {
            let mut mistyped = key.clone().into_bytes();
            mistyped[index] = if mistyped[index] == b'x' { b'y' } else { b'x' };
            assert!(KeyHash::of(&mistyped).is_none(), "{index}");
            assert!(KeyHash::of(&key.as_bytes()[..index]).is_none(), "{index}");
        }
        assert!(KeyHash::of(format!("{key}0").as_bytes()).is_none());
    }
}
