//! Writing a session that exists.

use std::time::Duration;

use tokio::time::Instant;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::reservation::{reserve, reserved_for};
use crate::record::Record;
use crate::retries::Retries;
use crate::store::{CompareOutcome, NewRecord};
use crate::telemetry::StoreCall as _;

/// Attempts of a write that loses races.
pub(crate) const ATTEMPTS: u32 = 16;

/// Lost attempts after which a writer reserves a turn.
const LOSSES: u32 = 4;

/// Attempts to reserve a turn after each lost write.
const RESERVATIONS: u32 = 8;

/// The time after which a writer that waits for its turn first looks at the record.
const FIRST_LOOK: Duration = Duration::from_millis(4);

/// Makes the record to write from the one in the store. May be called again.
pub(crate) type Edit<'a> = &'a mut (dyn FnMut(&Record) -> Result<Record> + Send);

/// A write that was applied.
pub(crate) struct Saved {
    /// The record that was replaced.
    pub(crate) before: Record,
    /// The record that is stored now.
    pub(crate) after: Record,
}

impl Lifecycle {
    /// Replaces the record of `id` by the result of `edit`, atomically: no concurrent write is
    /// lost, and a session that is gone stays gone.
    ///
    /// `seen` is the record as it was last seen. If it is still stored, this is one round trip.
    /// Each attempt is one atomic step on the record, so the caller may be dropped at any time.
    pub(crate) async fn save(&self, id: &SessionId, seen: Record, edit: Edit<'_>) -> Result<Saved> {
        let key = self.keyspace.record(id);
        let mut before = seen;
        let mut reserved = false;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            if !reserved {
                before = self.wait_for_turn(&key, before).await?;
            }
            let start = Instant::now();
            let after = edit(&before)?;
            before = match self.compare_and_set(id, &key, &before, &after).await? {
                CompareOutcome::Applied => return Ok(Saved { before, after }),
                CompareOutcome::Mismatch(value) => self.parse(value)?,
                CompareOutcome::Missing => return Err(self.gone(id, &after).await),
            };
            if (LOSSES..ATTEMPTS).contains(&retries.attempts()) {
                let attempt = start.elapsed();
                (before, reserved) = self.reserve_turn(id, &key, before, attempt).await?;
                if reserved {
                    // The others wait only for a limited time.
                    retries.skip_pause();
                }
            }
        }
        Err(SessionError::Conflict)
    }

    /// Waits while another writer has reserved a turn, and returns the newest record.
    async fn wait_for_turn(&self, key: &str, seen: Record) -> Result<Record> {
        let Some(mut left) = reserved_for(&seen, self.now_millis()) else {
            return Ok(seen);
        };
        let mut pause = FIRST_LOOK;
        while !left.is_zero() {
            tokio::time::sleep(pause.min(left)).await;
            left = left.saturating_sub(pause);
            pause *= 2;
            match self.load_record("update", key).await? {
                Some(stored) if stored.value != seen.bytes() => return self.parse(stored.value),
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
        let expected = before.bytes();
        let record = NewRecord::new(key, after.bytes(), ttl);
        let written = if let Some(index) = self.index(after) {
            let entry = self.entry(&index, id, ttl);
            let writing = self.store.compare_and_set_indexed(entry, expected, record);
            writing.in_operation("update").await
        } else {
            let writing = self.store.compare_and_set(expected, record);
            writing.in_operation("update").await
        };
        match written {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.indexed_error("update", key, error).await),
        }
    }
}
