//! How a value is written as one item.
//!
//! | attribute | type | content |
//! |---|---|---|
//! | `key` | string | partition key: the key of the record or of the index |
//! | `value` | binary | the value |
//! | `deflated` | binary | instead of `value`: the value, compressed (RFC 1951) |
//! | `etag` | binary | SHA-256 of the value, which conditions compare |
//! | `expires_ms` | number | when the item is absent, in Unix milliseconds |
//! | `expires` | number | TTL attribute: the same in Unix seconds, rounded up |
//!
//! A condition on `etag` needs no copy of the former value in the request, and a compressor may
//! change: equal values have equal tags.

use std::collections::HashMap;
use std::io::{self, Read as _, Write as _};

use aws_lc_rs::digest::{SHA256, digest};
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use jwt_redis_session::store::{StoreError, StoreErrorKind, StoredRecord};

use crate::expiry::UnixMillis;

pub(crate) type Item = HashMap<String, AttributeValue>;

pub(crate) const KEY: &str = "key";
const VALUE: &str = "value";
const DEFLATED: &str = "deflated";
const ETAG: &str = "etag";
const EXPIRES: &str = "expires";
const EXPIRES_MS: &str = "expires_ms";

/// Holds if the item is absent. `#key` is a reserved word.
pub(crate) const IS_ABSENT: &str = "attribute_not_exists(#key) OR expires_ms <= :now";

/// Holds if the item has not expired and has the value of `:etag`.
pub(crate) const IS_EQUAL: &str = "etag = :etag AND expires_ms > :now";

/// The largest item, with the names of its attributes.
const MAX_ITEM: usize = 400 << 10;

/// What an item takes beside key and value: the names, the tag and two numbers.
pub(crate) const OVERHEAD: usize = 128;

/// Writes are billed by kilobytes, so a shorter value is not made cheaper.
const COMPRESSED_FROM: usize = 1 << 10;

/// Returns the item of a new value.
///
/// Errors: the value does not fit into an item.
pub(crate) fn new(key: &str, value: &[u8], expires: UnixMillis) -> Result<Item, StoreError> {
    let etag = tag(value);
    let (name, value) = match deflate(value) {
        Some(deflated) => (DEFLATED, deflated),
        None => (VALUE, value.to_vec()),
    };
    let size = key.len() + value.len() + OVERHEAD;
    if size > MAX_ITEM {
        let detail = format!("an item of {size} bytes, DynamoDB allows {MAX_ITEM}");
        return Err(StoreError::new(StoreErrorKind::TooLarge).with_detail(detail));
    }
    Ok([
        (KEY, AttributeValue::S(key.to_owned())),
        (name, AttributeValue::B(Blob::new(value))),
        (ETAG, etag),
        (EXPIRES, number(expires.seconds())),
        (EXPIRES_MS, number(expires.0)),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value))
    .collect())
}

/// Returns the value of an item and what is left of its TTL, unless it has expired.
///
/// Errors: the item is not one that [`new`] has made.
pub(crate) fn live(mut item: Item, now: UnixMillis) -> Result<Option<StoredRecord>, StoreError> {
    let expires = item
        .get(EXPIRES_MS)
        .and_then(|at| at.as_n().ok()?.parse().ok());
    let expires = UnixMillis(expires.ok_or(StoreErrorKind::WrongType)?);
    // DynamoDB deletes an expired item later, by days at times.
    let Some(left) = expires.left(now) else {
        return Ok(None);
    };
    let value = match (item.remove(VALUE), item.remove(DEFLATED)) {
        (Some(AttributeValue::B(value)), None) => value.into_inner(),
        (None, Some(AttributeValue::B(value))) => {
            inflate(value.as_ref()).map_err(|_| StoreErrorKind::WrongType)?
        }
        _ => return Err(StoreErrorKind::WrongType.into()),
    };
    Ok(Some(StoredRecord::new(value, Some(left))))
}

/// Returns the `etag` of a value.
pub(crate) fn tag(value: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(digest(&SHA256, value).as_ref()))
}

pub(crate) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Returns the value compressed, if that is shorter.
fn deflate(value: &[u8]) -> Option<Vec<u8>> {
    if value.len() < COMPRESSED_FROM {
        return None;
    }
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    encoder.write_all(value).ok()?;
    let deflated = encoder.finish().ok()?;
    (deflated.len() < value.len()).then_some(deflated)
}

fn inflate(deflated: &[u8]) -> io::Result<Vec<u8>> {
    let mut value = Vec::new();
    DeflateDecoder::new(deflated).read_to_end(&mut value)?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: UnixMillis = UnixMillis(1_000);
    const LATER: UnixMillis = UnixMillis(2_500);

    fn random(length: usize) -> Vec<u8> {
        let mut value = vec![0; length];
        fastrand::Rng::with_seed(1).fill(&mut value);
        value
    }

    #[test]
    fn an_item_is_read_as_it_was_written() {
        let text = "a cart ".repeat(1000);
        for (value, name) in [
            (&b""[..], VALUE),
            (b"\0\xff", VALUE),
            (&random(2000), VALUE),
            (text.as_bytes(), DEFLATED),
        ] {
            let item = new("k", value, LATER).unwrap();
            assert_eq!(item.len(), 5);
            assert!(item.contains_key(name));
            assert_eq!(item[ETAG], tag(value));
            let left = Some(Duration::from_millis(1500));
            let stored = StoredRecord::new(value.to_vec(), left);
            assert_eq!(live(item.clone(), NOW), Ok(Some(stored)));
            assert_eq!(live(item, LATER), Ok(None));
        }
    }

    #[test]
    fn another_item_is_of_the_wrong_type() {
        let wrong = Err(StoreErrorKind::WrongType.into());
        for (name, value) in [
            (EXPIRES_MS, AttributeValue::S("2500".to_owned())),
            (EXPIRES_MS, AttributeValue::N("-1".to_owned())),
            (VALUE, AttributeValue::S("text".to_owned())),
            (DEFLATED, AttributeValue::B(Blob::new("text"))),
        ] {
            let mut item = new("k", b"value", LATER).unwrap();
            item.insert(name.to_owned(), value);
            assert_eq!(live(item, NOW), wrong, "{name}");
        }
        assert_eq!(live(Item::new(), NOW), wrong);
    }

    #[test]
    fn a_value_that_does_not_fit_is_too_large() {
        let largest = MAX_ITEM - OVERHEAD - 1;
        assert!(new("k", &random(largest), LATER).is_ok());
        let error = new("k", &random(largest + 1), LATER).unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::TooLarge);
    }
}
