//! Turns for writers that keep losing.
//!
//! A large or slow writer can lose every race against small and fast ones: between the moment
//! when it learns the newest value and its compare-and-set, another write always comes first.
//! After some losses it reserves a turn: it writes the record back unchanged, except for a nonce
//! `wait-until:<Unix milliseconds>` in the metadata. That write is as small as those of the
//! others. Writers that find such a nonce wait until the record changes or the time has passed.
//!
//! The reservation is a request, not a lock. A writer that ignores it, such as the npm
//! package, overwrites it, and a writer that crashed holds others up for at most
//! [`MAX_RESERVATION`].

use std::time::Duration;

use serde::Deserialize;

use crate::record::Record;

const NONCE_PREFIX: &str = "wait-until:";

/// How a record begins that this library has written.
const META_START: &[u8] = b"{\"_jrs\":";

/// The metadata that matters here.
#[derive(Deserialize)]
struct Reserved<'a> {
    nonce: Option<&'a str>,
}

/// The shortest and the longest time that is reserved.
const MIN_RESERVATION: Duration = Duration::from_millis(50);
const MAX_RESERVATION: Duration = Duration::from_secs(2);

/// How much longer than an attempt a reservation lasts.
const MARGIN: u32 = 4;

/// Returns `record` with a reservation at `now` (Unix milliseconds) for a writer whose attempt
/// takes `attempt`.
pub(crate) fn reserve(record: &Record, now: i64, attempt: Duration) -> Record {
    let length = (attempt * MARGIN).clamp(MIN_RESERVATION, MAX_RESERVATION);
    let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    record.with_nonce(&format!("{NONCE_PREFIX}{}", now.saturating_add(length)))
}

/// Returns how long other writers of `record` should wait at `now` (Unix milliseconds).
///
/// The clocks of two hosts may differ: the time is never more than [`MAX_RESERVATION`].
pub(crate) fn reserved_for(record: &Record, now: i64) -> Option<Duration> {
    // Only the metadata is parsed. The data after it may be large.
    let meta = record.bytes().strip_prefix(META_START)?;
    let mut meta = serde_json::Deserializer::from_slice(meta).into_iter::<Reserved<'_>>();
    let until = meta.next()?.ok()?.nonce?.strip_prefix(NONCE_PREFIX)?;
    let left = until.parse::<i64>().ok()?.saturating_sub(now);
    let left = Duration::from_millis(u64::try_from(left).ok()?);
    (!left.is_zero()).then(|| left.min(MAX_RESERVATION))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(text: &str) -> Record {
        Record::parse(text.to_owned().into()).unwrap()
    }

    #[test]
    fn a_reservation_is_found_and_ends() {
        for text in [
            r#"{"a":1}"#,
            r#"{"_jrs":{"owner":"j}o","created":5},"a":{"nonce":"x"}}"#,
        ] {
            let free = record(text);
            assert_eq!(reserved_for(&free, 0), None);
            let reserved = reserve(&free, 1_000, Duration::from_millis(100));
            assert_eq!(reserved.meta(), free.meta());
            let left = |now| reserved_for(&reserved, now);
            assert_eq!(left(1_000), Some(Duration::from_millis(400)));
            assert_eq!(left(1_399), Some(Duration::from_millis(1)));
            assert_eq!(left(1_400), None);
            assert_eq!(left(i64::MIN), Some(MAX_RESERVATION));
        }
    }

    #[test]
    fn data_and_owners_do_not_look_like_a_reservation() {
        for text in [
            r#"{"nonce":"wait-until:9000000000000"}"#,
            r#"{"_jrs":{"owner":"\"nonce\":\"wait-until:9000000000000\""}}"#,
            r#"{"_jrs":{"nonce":"wait-until:"}}"#,
            r#"{"_jrs":{"nonce":"0123456789abcdef"}}"#,
            r#"{"_jrs":{},"nonce":"wait-until:9000000000000"}"#,
        ] {
            assert_eq!(reserved_for(&record(text), 0), None, "{text}");
        }
    }
}
