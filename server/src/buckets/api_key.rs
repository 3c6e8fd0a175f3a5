//! The key of a bucket: what it looks like, how it is made.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::buckets::hex;
use crate::buckets::name::BucketName;
use crate::crypto;
use crate::secret::Secret;

/// What every key begins with, so that one that has leaked is found.
const PREFIX: &str = "jrs_";

/// How many characters of base62 hold 80 bits; a key has two of these.
const HALF: usize = 14;

/// How many characters of base62 hold a CRC-32.
const CHECKSUM: usize = 6;

/// How long a key is, in bytes.
const LEN: usize = PREFIX.len() + 2 * HALF + CHECKSUM;

/// Sets these keys apart from all else that is derived from the same secret.
const PURPOSE: &[u8] = b"sessiond api key";

/// The SHA-256 of a key: what the store keeps. It needs no salt, for a key is of 160 bits.
#[derive(Clone, Copy)]
pub(crate) struct KeyHash([u8; 32]);

/// Makes the key of `bucket`: 160 bits that only who has `secret` can know, and a checksum.
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

/// The characters that end a key, so that one with a slip is refused without asking the store.
fn checksum(unchecked: &[u8]) -> String {
    crypto::base62(crc32fast::hash(unchecked).into(), CHECKSUM)
}

/// The number that a checksum writes.
fn number(sum: &[u8]) -> Option<u64> {
    sum.iter().try_fold(0, |number, digit| {
        let value = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'Z' => digit - b'A' + 10,
            b'a'..=b'z' => digit - b'a' + 36,
            _ => return None,
        };
        Some(number * 62 + u64::from(value))
    })
}

impl KeyHash {
    /// The hash of `key`, if it has the form of a bucket's key.
    pub(super) fn of(key: &[u8]) -> Option<Self> {
        let (unchecked, sum) = key.split_at_checked(LEN - CHECKSUM)?;
        let formed = sum.len() == CHECKSUM
            && unchecked.starts_with(PREFIX.as_bytes())
            && number(sum) == Some(crc32fast::hash(unchecked).into());
        formed.then(|| Self(crypto::sha256(key)))
    }

    /// Compares in constant time.
    pub(super) fn equals(&self, other: &Self) -> bool {
        crypto::equal(&self.0, &other.0)
    }
}

impl Serialize for KeyHash {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&hex::encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for KeyHash {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        let mut hash = [0; 32];
        hex::decode(text.as_bytes(), &mut hash)
            .map(|()| Self(hash))
            .ok_or_else(|| D::Error::custom("not a hash"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(secret: &str, bucket: &str, nonce: &str) -> String {
        let bucket = BucketName::parse(bucket).unwrap();
        derive(&Secret::from(secret), &bucket, nonce)
            .expose()
            .to_owned()
    }

    #[test]
    fn r38_a_key_depends_on_the_secret_the_bucket_and_the_nonce() {
        let one = key("secret", "bucket", "nonce");
        assert_eq!(one, "jrs_1XCCMX8LhmvGtR0V0HqlWa1YT3ot01yq1W");
        assert_eq!(one, key("secret", "bucket", "nonce"));
        for other in [
            key("secre", "bucket", "nonce"),
            key("secret", "bucke", "nonce"),
            key("secret", "bucket", "nonc"),
            key("secret", "bucketn", "once"),
        ] {
            assert_ne!(one, other);
        }
    }

    #[test]
    fn r38_a_slip_in_a_key_is_seen() {
        let key = key("secret", "bucket", "nonce");
        assert!(KeyHash::of(key.as_bytes()).is_some());
        for place in 0..key.len() {
            let mut slip = key.clone().into_bytes();
            slip[place] = if slip[place] == b'x' { b'y' } else { b'x' };
            assert!(KeyHash::of(&slip).is_none(), "{place}");
            assert!(KeyHash::of(&key.as_bytes()[..place]).is_none(), "{place}");
        }
        assert!(KeyHash::of(format!("{key}0").as_bytes()).is_none());
    }

    #[test]
    fn a_hash_is_written_and_read_as_hex() {
        let hash = KeyHash(crypto::sha256(b"abc"));
        let text = serde_json::to_string(&hash).unwrap();
        assert!(text.starts_with("\"ba7816bf") && text.len() == 66);
        assert!(
            serde_json::from_str::<KeyHash>(&text)
                .unwrap()
                .equals(&hash)
        );
        assert!(serde_json::from_str::<KeyHash>("\"ba78\"").is_err());
        assert!(serde_json::from_str::<KeyHash>(&text.replace('b', "é")).is_err());
    }
}
