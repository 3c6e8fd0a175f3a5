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

use crate::record::Record;

const NONCE_PREFIX: &str = "wait-until:";

/// How the metadata of a record begins that this library has written.
const META_START: &[u8] = b"{\"_jrs\":{";

const NONCE_START: &[u8] = b"\"nonce\":\"wait-until:";

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
    let meta = record.bytes().strip_prefix(META_START)?;
    // Quotes in an owner are escaped, so that it cannot contain the start of the nonce. One with
    // a brace may hide the nonce; then this writer does not wait.
    let meta = meta.split(|byte| *byte == b'}').next()?;
    let at = meta
        .windows(NONCE_START.len())
        .position(|window| window == NONCE_START)?;
    let until = meta[at + NONCE_START.len()..].split(|byte| *byte == b'"');
    let until = std::str::from_utf8(until.into_iter().next()?).ok()?;
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
            r#"{}"#,
            r#"{"_jrs":{"owner":"jo","created":5},"a":{"nonce":"x"}}"#,
        ] {
            let free = record(text);
            assert_eq!(reserved_for(&free, 0), None);
            let reserved = reserve(&free, 1_000, Duration::from_millis(100));
            let reserved = Record::parse(reserved.bytes().clone()).unwrap();
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
