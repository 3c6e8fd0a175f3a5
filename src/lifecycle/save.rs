//! Writing a session that exists, and giving it to another owner.
//!
//! # Turns for writers that keep losing
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
use serde::de::IgnoredAny;
use tokio::time::Instant;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::Lifecycle;
use crate::record::{META_START, Record};
use crate::retries::Retries;
use crate::store::{CompareOutcome, EntryState, NewRecord, PutMode};
use crate::telemetry::StoreCall as _;

/// Attempts of a write that loses races.
const ATTEMPTS: u32 = 16;

/// Lost attempts after which a writer reserves a turn.
const LOSSES: u32 = 4;

/// Attempts to reserve a turn after each lost write.
const RESERVATIONS: u32 = 8;

/// The time after which a writer that waits for its turn first looks at the record.
const FIRST_LOOK: Duration = Duration::from_millis(4);

const NONCE_PREFIX: &str = "wait-until:";

/// The metadata, of which only the nonce matters here.
///
/// Most records have none: the elements have defaults, because an error would allocate.
#[derive(Deserialize)]
struct Reserved<'a>(
    #[serde(default)] IgnoredAny,
    #[serde(default)] IgnoredAny,
    #[serde(default)] IgnoredAny,
    #[serde(default, borrow)] Option<&'a str>,
);

/// The shortest and the longest time that is reserved.
const MIN_RESERVATION: Duration = Duration::from_millis(50);
const MAX_RESERVATION: Duration = Duration::from_secs(2);

/// How much longer than an attempt a reservation lasts.
const MARGIN: u32 = 4;

/// Makes the record to write from the one in the store. May be called again.
pub(crate) type Edit<'a> = &'a mut (dyn FnMut(&Record) -> Result<Record> + Send);

impl Lifecycle {
    /// Replaces the record of `id` by the result of `edit`, atomically: no concurrent write is
    /// lost, and a session that is gone stays gone.
    ///
    /// `seen` is the record as it was last seen. If it is still stored, this is one round trip.
    /// Each attempt is one atomic step on the record, so the caller may be dropped at any time,
    /// unless `edit` changes the owner. Returns the record that is stored now, and the sessions
    /// that were ended because its owner has one more.
    pub(crate) async fn save(
        &self,
        id: &SessionId,
        seen: Record,
        edit: Edit<'_>,
    ) -> Result<(Record, Vec<SessionId>)> {
        let key = self.keyspace.record(id);
        let mut before = seen;
        let mut reserved = false;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            // Boxed, as other rare steps below: a future is moved until it runs.
            if !reserved && let Some(left) = reserved_for(&before, self.now_millis()) {
                before = Box::pin(self.wait_for_turn(&key, before, left)).await?;
            }
            let start = Instant::now();
            let after = edit(&before)?;
            before = match self.compare_and_set(id, &key, &before, &after).await? {
                CompareOutcome::Applied if after.owner() == before.owner() => {
                    return Ok((after, Vec::new()));
                }
                CompareOutcome::Applied => {
                    let ended = Box::pin(self.transfer_owner(id, &before, &after)).await?;
                    return Ok((after, ended));
                }
                CompareOutcome::Mismatch(value) => self.parse(value)?,
                CompareOutcome::Missing => return Err(self.gone(id, &after).await),
            };
            if (LOSSES..ATTEMPTS).contains(&retries.attempts()) {
                let attempt = start.elapsed();
                let reserving = Box::pin(self.reserve_turn(id, &key, before, attempt));
                (before, reserved) = reserving.await?;
                if reserved {
                    // The others wait only for a limited time.
                    retries.skip_pause();
                }
            }
        }
        Err(SessionError::Conflict)
    }

    /// Waits while another writer has reserved a turn, which ends in `left`, and returns the newest
    /// record.
    async fn wait_for_turn(&self, key: &str, seen: Record, mut left: Duration) -> Result<Record> {
        let mut pause = FIRST_LOOK;
        while !left.is_zero() {
            tokio::time::sleep(pause.min(left)).await;
            left = left.saturating_sub(pause);
            pause *= 2;
            match self.load_record("update", key).await? {
                Some(stored) if stored.value != seen.bytes => return self.parse(stored.value),
                Some(_) => {}
                // The next compare-and-set finds that it is gone.
                None => break,
            }
        }
        Ok(seen)
    }

    /// Reserves a turn for the next attempt, which takes `attempt`. Returns the newest record, and
    /// whether that is the reservation.
    async fn reserve_turn(
        &self,
        id: &SessionId,
        key: &str,
        mut before: Record,
        attempt: Duration,
    ) -> Result<(Record, bool)> {
        for _ in 0..RESERVATIONS {
            if reserved_for(&before, self.now_millis()).is_some() {
                break;
            }
            let reserved = reserve(&before, self.now_millis(), attempt);
            // If the nonce does not fit, the writer retries without a reservation.
            if self.check_size(&reserved).is_err() {
                break;
            }
            match self.compare_and_set(id, key, &before, &reserved).await? {
                CompareOutcome::Applied => return Ok((reserved, true)),
                CompareOutcome::Mismatch(value) => before = self.parse(value)?,
                CompareOutcome::Missing => return Err(self.gone(id, &before).await),
            }
        }
        Ok((before, false))
    }

    /// Refreshes the index entry, then compares and sets the record: an entry never expires
    /// before its record.
    async fn compare_and_set(
        &self,
        id: &SessionId,
        key: &str,
        before: &Record,
        after: &Record,
    ) -> Result<CompareOutcome> {
        self.check_size(after)?;
        let ttl = self.ttl_to_write("update", key, after).await?;
        let expected = &before.bytes;
        let record = NewRecord::new(key, &after.bytes, ttl);
        let index = self.index(after);
        let entry = index.as_ref().map(|index| self.entry(index, id, ttl));
        let writing = match entry {
            Some(entry) => self.store.compare_and_set_indexed(entry, expected, record),
            None => self.store.compare_and_set(expected, record),
        };
        match writing.in_operation("update").await {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.indexed_error("update", key, error).await),
        }
    }

    /// Completes a write that gave the session to another owner.
    ///
    /// The entry in the new owner's index must be active. If it is a tombstone, a concurrent
    /// `destroy_all` may have passed the session by, because it belonged to the old owner then.
    ///
    /// Returns the sessions of the new owner that were ended because there is one more.
    async fn transfer_owner(
        &self,
        id: &SessionId,
        before: &Record,
        after: &Record,
    ) -> Result<Vec<SessionId>> {
        // The old owner's entry stays: another handle may just be giving the session back.
        // Sessions of other owners are neither listed nor destroyed, and their entries are
        // removed when due.
        let mut ended = Vec::new();
        match self.ensure_listed(id, after).await {
            Err(SessionError::Gone) => {
                // It was ended or rotated since.
                let admitted = self.admit_rotated(after, &mut ended).await;
                return admitted.and(Err(SessionError::Gone));
            }
            listed => listed?,
        }
        match self.admit(id, after, &mut ended).await {
            Err(error @ SessionError::TooManySessions { .. }) => {
                self.return_owner(id, before, after).await.and(Err(error))
            }
            // It was ended in the meantime, and had its new owner before, or it was rotated.
            Ok(false) => self.admit_rotated(after, &mut ended).await.map(|()| ended),
            admitted => admitted.map(|_| ended),
        }
    }

    async fn ensure_listed(&self, id: &SessionId, record: &Record) -> Result<()> {
        match self.index(record) {
            Some(index) if !self.is_active(&index, id).await? => {
                self.reindex(id, &index, record).await
            }
            _ => Ok(()),
        }
    }

    /// Undoes the write of `after` in place of `before`. If the record was written since, only the
    /// owner is changed.
    async fn return_owner(&self, id: &SessionId, before: &Record, after: &Record) -> Result<()> {
        let key = self.keyspace.record(id);
        let (mut now, mut back) = (after.clone(), before.clone());
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            match self.compare_and_set(id, &key, &now, &back).await? {
                CompareOutcome::Applied => return self.ensure_listed(id, &back).await,
                CompareOutcome::Missing => return Ok(()),
                CompareOutcome::Mismatch(value) => now = self.parse(value)?,
            }
            if now.owner() != after.owner() {
                return Ok(());
            }
            let mut meta = now.meta.clone();
            meta.owner = before.owner().cloned();
            back = Record::assemble(meta, &now.fields());
        }
        Err(SessionError::Conflict)
    }

    async fn is_active(&self, index: &str, id: &SessionId) -> Result<bool> {
        let reading = self.store.index_get(index, id.as_str());
        let state = reading.in_operation("update").await?;
        Ok(matches!(state, Some(EntryState::Active { .. })))
    }

    /// Reactivates the entry of a session that is a tombstone in its new owner's index.
    ///
    /// The `destroy_all` that set the tombstone either finds that the session is the owner's and
    /// deletes it, or has found that it was not yet.
    async fn reindex(&self, id: &SessionId, index: &str, record: &Record) -> Result<()> {
        let key = self.keyspace.record(id);
        let ttl = self.ttl_to_write("update", &key, record).await?;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            let entry = self.entry(index, id, ttl);
            let reactivation = self.store.index_put(entry, PutMode::Reactivate);
            reactivation.in_operation("update").await?;
            // The record is read between the put and the check: if the entry is still active
            // after the record was seen, no `destroy_all` has begun to delete it in between.
            let loaded = self.load_record("update", &key).await;
            // A rotation that has moved the session since has decided by this index.
            if self.redirect(&loaded).is_some() {
                return Ok(());
            }
            match self.validate(loaded) {
                // The write that gave it away since takes care of the other index.
                Ok((now, _)) if now.owner() != record.owner() => return Ok(()),
                Ok(_) if self.is_active(index, id).await? => return Ok(()),
                Ok(_) => {}
                Err(SessionError::Rejected(_)) => return Err(self.gone(id, record).await),
                Err(error) => return Err(error),
            }
        }
        Err(SessionError::Conflict)
    }
}

/// Returns `record` with a reservation at `now` (Unix milliseconds) for a writer whose attempt
/// takes `attempt`.
fn reserve(record: &Record, now: i64, attempt: Duration) -> Record {
    let length = (attempt * MARGIN).clamp(MIN_RESERVATION, MAX_RESERVATION);
    let length = i64::try_from(length.as_millis()).unwrap_or(i64::MAX);
    record.with_nonce(&format!("{NONCE_PREFIX}{}", now.saturating_add(length)))
}

/// Returns how long other writers of `record` should wait at `now` (Unix milliseconds).
///
/// The clocks of two hosts may differ: the time is never more than [`MAX_RESERVATION`].
fn reserved_for(record: &Record, now: i64) -> Option<Duration> {
    // Only the metadata is parsed. The data after it may be large.
    let meta = record.bytes.strip_prefix(META_START)?;
    let mut meta = serde_json::Deserializer::from_slice(meta).into_iter::<Reserved<'_>>();
    let Reserved(_, _, _, nonce) = meta.next()?.ok()?;
    let until = nonce?.strip_prefix(NONCE_PREFIX)?;
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
        for text in [r#"{"a":1}"#, r#"{"_jrs":[5,"j]o"],"a":{"nonce":"x"}}"#] {
            let free = record(text);
            assert_eq!(reserved_for(&free, 0), None);
            let reserved = reserve(&free, 1_000, Duration::from_millis(100));
            assert_eq!(reserved.meta, free.meta);
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
            r#"{"_jrs":[1,"wait-until:9000000000000"]}"#,
            r#"{"_jrs":[1,"],null,\"wait-until:9000000000000\""]}"#,
            r#"{"_jrs":[1,null,null,"wait-until:"]}"#,
            r#"{"_jrs":[1,null,null,"0123456789abcdef"]}"#,
            r#"{"_jrs":[1],"nonce":"wait-until:9000000000000"}"#,
        ] {
            assert_eq!(reserved_for(&record(text), 0), None, "{text}");
        }
    }
}
