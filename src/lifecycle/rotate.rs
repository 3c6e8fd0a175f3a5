//! Giving a session a new id.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Lifecycle, record_error};
use crate::lifecycle::create::Created;
use crate::lifecycle::retries::Retries;
use crate::lifecycle::save::Edit;
use crate::record::Record;
use crate::store::{CompareOutcome, InsertOutcome, NewRecord, PutMode, SupersedeOutcome};
use crate::telemetry;

/// Attempts of a rotation whose new record was deleted, or whose session was given to another
/// owner.
const ATTEMPTS: u32 = 5;

/// Writes to the old record that a rotation copies.
const COPIES: u32 = 64;

/// The two sessions of a rotation.
struct Pair<'a> {
    old: &'a SessionId,
    new: &'a SessionId,
    /// The old record as it was last seen.
    before: Record,
    /// The record of the new session.
    after: Record,
}

/// Result of one attempt of a rotation.
pub(crate) enum Rotation {
    Rotated(Created),
    /// Nothing has changed; another attempt may succeed.
    Again {
        /// The old record as it was last seen.
        before: Record,
        /// A concurrent `destroy_all` has deleted the new session.
        new_revoked: bool,
    },
}

/// How far one attempt of a rotation has come.
enum Attempt {
    /// The old session is gone, the new one is active.
    Rotated,
    /// The old session was destroyed or rotated by another process.
    OldGone,
    /// A concurrent `destroy_all` has deleted the new session.
    NewGone,
    /// Another session has the new id.
    IdTaken,
    /// The old session belongs to another owner now, whose index has to decide.
    OwnerChanged,
}

impl Lifecycle {
    /// Moves the session to a new id, with the result of `edit` as its record.
    ///
    /// The old id stops working. Of several concurrent rotations of one session exactly one
    /// succeeds; the others find it gone. The old id works until the decision, and again after a
    /// failure.
    ///
    /// Steps: (1) put both ids into the indexes, (2) insert the new record and check its entry,
    /// (3) decide: one atomic step on the old owner's index makes the old id a tombstone if it is
    /// still active, (4) delete the old record if it still holds what was copied, otherwise copy
    /// it again, (5) remove the old id from the index.
    pub(crate) async fn rotate(
        self: Arc<Self>,
        old: SessionId,
        mut seen: Record,
        claims: Map<String, Value>,
        edit: Edit<'_>,
    ) -> Result<Created, SessionError> {
        let mut revoked = true;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            match self.rotate_once(&old, seen, &claims, &mut *edit).await? {
                Rotation::Rotated(created) => return Ok(created),
                Rotation::Again {
                    before,
                    new_revoked,
                } => {
                    seen = before;
                    revoked &= new_revoked;
                }
            }
        }
        Err(SessionError::lost(revoked))
    }

    /// Makes one attempt of a rotation, under an id that no other attempt uses.
    pub(crate) async fn rotate_once(
        &self,
        old: &SessionId,
        seen: Record,
        claims: &Map<String, Value>,
        edit: Edit<'_>,
    ) -> Result<Rotation, SessionError> {
        let after = edit(&seen)?;
        self.check_size(&after)?;
        let (new, token) = self.issue(after.meta(), Some(claims))?;
        let mut pair = Pair {
            old,
            new: &new,
            before: seen,
            after,
        };
        let attempt = self.try_rotate(&mut pair, edit).await;
        let (before, record) = (pair.before, pair.after);
        let new_revoked = matches!(attempt, Ok(Attempt::NewGone));
        match attempt {
            Ok(Attempt::Rotated) => {
                let id = new;
                return Ok(Rotation::Rotated(Created { id, token, record }));
            }
            Ok(Attempt::IdTaken) => self.unlist_taken(&new, &record).await?,
            Ok(Attempt::NewGone | Attempt::OwnerChanged) => {
                self.undo_create(&new, &record).await?;
            }
            Ok(Attempt::OldGone) => {
                self.undo_create(&new, &record).await?;
                return Err(SessionError::Gone);
            }
            Err(error) => {
                let _ = self.undo_create(&new, &record).await;
                return Err(error);
            }
        }
        Ok(Rotation::Again {
            before,
            new_revoked,
        })
    }

    async fn try_rotate(
        &self,
        pair: &mut Pair<'_>,
        edit: Edit<'_>,
    ) -> Result<Attempt, SessionError> {
        let attempt = match self.insert_new(pair).await {
            Ok(Attempt::Rotated) => match self.supersede(pair).await {
                Ok(Attempt::Rotated) => self.delete_old(pair, edit).await,
                undecided => undecided,
            },
            not_inserted => return not_inserted,
        };
        if attempt.is_err() {
            let _ = self.unmark_old(pair).await;
        }
        attempt
    }

    /// Steps (1) and (2).
    ///
    /// The old id is put as well: a lost index must not make its sessions immovable. The check of
    /// the new entry after the insert matters if the owner changes: then step (3) looks at the
    /// old owner's index only, and a `destroy_all` of the new owner may have come too early to
    /// find the record.
    async fn insert_new(&self, pair: &Pair<'_>) -> Result<Attempt, SessionError> {
        let (key, ttl) = (
            self.keyspace.record(pair.new),
            self.new_ttl(pair, &pair.after).await?,
        );
        let old_index = self.index(pair.before.meta().owner.as_ref());
        let new_index = self.index(pair.after.meta().owner.as_ref());
        let mut entries = Vec::with_capacity(2);
        if let Some(index) = &old_index {
            entries.push(self.entry(index, pair.old, ttl));
        }
        if let Some(index) = &new_index {
            entries.push(self.entry(index, pair.new, ttl));
        }
        let record = NewRecord::new(&key, pair.after.bytes(), ttl);
        let inserting = self.store.insert_indexed(&entries, record, None);
        match telemetry::store_call("rotate", inserting).await {
            Ok(InsertOutcome::Inserted { .. }) => Ok(Attempt::Rotated),
            Ok(InsertOutcome::KeyTaken) => Ok(Attempt::IdTaken),
            // Without a new owner the last entry is that of the old id.
            Ok(InsertOutcome::EntryLost) if new_index.is_none() => Ok(Attempt::OldGone),
            Ok(InsertOutcome::EntryLost) => Ok(Attempt::NewGone),
            Err(error) => Err(self.indexed_error("rotate", &key, error).await),
        }
    }

    /// Returns the TTL of the new record: at most that of the old one if that is not extended.
    async fn new_ttl(&self, pair: &Pair<'_>, record: &Record) -> Result<Duration, SessionError> {
        let old = self.keyspace.record(pair.old);
        self.ttl_to_write("rotate", &old, record).await
    }

    /// Step (3), the decision: a `destroy_all` before or after it takes both ids or none.
    async fn supersede(&self, pair: &Pair<'_>) -> Result<Attempt, SessionError> {
        let old_owner = pair.before.meta().owner.as_ref();
        let Some(index) = self.index(old_owner) else {
            return Ok(Attempt::Rotated);
        };
        // The index of the old owner has no new id if the owner changes: `old` twice makes the step
        // check the old id only.
        let new = if old_owner == pair.after.meta().owner.as_ref() {
            pair.new
        } else {
            pair.old
        };
        let (old, new, now) = (pair.old.as_str(), new.as_str(), self.tombstone_time());
        let deciding = self.store.index_supersede(&index, old, new, now);
        Ok(match telemetry::store_call("rotate", deciding).await? {
            SupersedeOutcome::Superseded => Attempt::Rotated,
            SupersedeOutcome::OldNotActive => Attempt::OldGone,
            SupersedeOutcome::NewNotActive => Attempt::NewGone,
        })
    }

    /// Steps (4) and (5).
    ///
    /// A write to the old record that was acknowledged before its deletion must not be lost:
    /// newer data of the same owner is copied to the new record first.
    async fn delete_old(
        &self,
        pair: &mut Pair<'_>,
        edit: Edit<'_>,
    ) -> Result<Attempt, SessionError> {
        let key = self.keyspace.record(pair.old);
        let mut retries = Retries::new(COPIES);
        while retries.next().await {
            let deletion = self.store.compare_and_delete(&key, pair.before.bytes());
            let deleted = telemetry::store_call("rotate", deletion).await;
            match deleted.map_err(record_error)? {
                CompareOutcome::Applied => {
                    // Best effort: the session has moved, and a list removes old tombstones.
                    let _ = self.remove_old(pair).await;
                    return Ok(Attempt::Rotated);
                }
                CompareOutcome::Missing => {
                    let _ = self.remove_old(pair).await;
                    return Ok(Attempt::OldGone);
                }
                CompareOutcome::Mismatch(value) => {
                    let before = self.parse(value)?;
                    // The decision was made on the index of the former owner. A `destroy_all` of
                    // the present one has not seen it, so that index has to decide again.
                    if before.meta().owner != pair.before.meta().owner {
                        pair.before = before;
                        return Ok(Attempt::OwnerChanged);
                    }
                    if !self.copy_newer(pair, before, &mut *edit).await? {
                        return Ok(Attempt::OldGone);
                    }
                }
            }
        }
        Err(SessionError::Conflict)
    }

    /// Writes newer data to the new record and returns whether that still exists.
    ///
    /// The new token was not returned yet, but the new id may be in a list. What was written to the
    /// new record through the list is overwritten.
    async fn copy_newer(
        &self,
        pair: &mut Pair<'_>,
        before: Record,
        edit: Edit<'_>,
    ) -> Result<bool, SessionError> {
        let after = edit(&before)?;
        self.check_size(&after)?;
        let (key, ttl) = (
            self.keyspace.record(pair.new),
            self.new_ttl(pair, &after).await?,
        );
        let mut expected = pair.after.bytes().clone();
        pair.before = before;
        pair.after = after;
        let mut retries = Retries::new(COPIES);
        while retries.next().await {
            let record = NewRecord::new(&key, pair.after.bytes(), ttl);
            let writing = self.store.compare_and_set(&expected, record);
            let written = telemetry::store_call("rotate", writing).await;
            match written.map_err(record_error)? {
                CompareOutcome::Applied => return Ok(true),
                CompareOutcome::Mismatch(value) => expected = value,
                CompareOutcome::Missing => return Ok(false),
            }
        }
        Err(SessionError::Conflict)
    }

    /// After a failure the old session goes on, so its tombstone, if there is one, becomes an
    /// active entry. A `destroy_all` that has seen the tombstone still destroys the session.
    ///
    /// One atomic step: if the entry were removed and put again, a `destroy_all` in between would
    /// miss the session.
    async fn unmark_old(&self, pair: &Pair<'_>) -> Result<(), SessionError> {
        let Some(index) = self.index(pair.before.meta().owner.as_ref()) else {
            return Ok(());
        };
        let ttl = self.new_ttl(pair, &pair.before).await?;
        let entry = self.entry(&index, pair.old, ttl);
        let reactivation = self.store.index_put(entry, PutMode::Reactivate);
        Ok(telemetry::store_call("rotate", reactivation).await?)
    }

    async fn remove_old(&self, pair: &Pair<'_>) -> Result<(), SessionError> {
        match self.index(pair.before.meta().owner.as_ref()) {
            Some(index) => self.remove_entry(&index, pair.old).await,
            None => Ok(()),
        }
    }
}
