//! Giving a session a new id, also at a login.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::end::SessionEnd;
use crate::lifecycle::login::is_of_another;
use crate::lifecycle::{Created, Evict, Lifecycle, record_error};
use crate::record::{Owner, Record, Redirect};
use crate::retries::Retries;
use crate::store::{CompareOutcome, InsertOutcome, NewRecord, PutMode, SupersedeOutcome};
use crate::telemetry::StoreCall as _;

/// Attempts of a rotation whose new record was deleted, or whose session was given to another
/// owner.
const ATTEMPTS: u32 = 5;

/// Writes to the old record that a rotation copies.
const COPIES: u32 = 64;

/// Makes the new record from the old one. May be called again.
pub(crate) type Merge<'a> = &'a (dyn Fn(&Record) -> Result<Record> + Send + Sync);

/// A rotation, over all its attempts.
pub(crate) struct Rotation<'a> {
    pub(crate) old: SessionId,
    /// The old record as it was last seen.
    pub(crate) seen: Record,
    /// The caller's own claims for the new token.
    pub(crate) claims: Map<String, Value>,
    pub(crate) merge: Merge<'a>,
    /// How long the old id leads to the new one.
    pub(crate) grace: Option<Duration>,
    /// At a login: the owner, and the record of a new session without data of another one.
    pub(crate) login: Option<(Owner, Record)>,
    /// In every attempt so far, a concurrent `destroy_all` has deleted the new session.
    pub(crate) revoked: bool,
    /// The sessions that were ended because the owner has one more.
    pub(crate) ended: Vec<SessionId>,
}

/// Reason why an attempt of a rotation did not succeed.
enum Stop {
    /// The old session was destroyed or rotated by another process.
    OldGone,
    /// A concurrent `destroy_all` has deleted the new session.
    NewGone,
    /// Another session has the new id.
    IdTaken,
    /// The old session belongs to another owner now, whose index has to decide.
    OwnerChanged,
    /// The old session has ended, and a concurrent call has ended the new one before it was counted.
    NotAdmitted,
    /// As `Failed`, but the old id leads to the new session, which must not be undone.
    FailedAfterRedirect(SessionError),
    Failed(SessionError),
}

impl From<SessionError> for Stop {
    fn from(error: SessionError) -> Self {
        Self::Failed(error)
    }
}

impl Lifecycle {
    /// Moves the session to a new id, with the result of `merge` as its record.
    ///
    /// The old id stops working. Of several concurrent rotations of one session exactly one
    /// succeeds; the others find it gone. The old id works until the decision, and again after a
    /// failure.
    ///
    /// Steps: (1) put both ids into the indexes, (2) insert the new record and check its entry,
    /// (3) decide: one atomic step on the old owner's index makes the old id a tombstone if it is
    /// still active, (4) delete the old record if it still holds what was copied, otherwise copy
    /// it again, (5) remove the old id from the index.
    ///
    /// With a grace, (4) replaces the old record by a redirect instead. Without an owner that is
    /// the decision, as the deletion is. From (4) on, the session is at the new id only.
    ///
    /// A login rotates a session without owner, or of the same owner. It destroys a session of
    /// another owner and creates a new one, so that no data passes from one owner to another. The
    /// old id never works afterwards.
    pub(crate) async fn rotate(self: &Arc<Self>, mut rotation: Rotation<'_>) -> Result<Created> {
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            match self.try_rotate(&mut rotation).await {
                Ok(None) => {}
                Ok(Some(created)) => return Ok(created),
                Err(error) => {
                    if rotation.grace.is_some() && error == SessionError::Gone {
                        self.wait_for_other(&rotation.old).await;
                    }
                    return Err(error);
                }
            }
        }
        let lost = rotation.revoked.then_some(SessionError::Revoked);
        Err(lost.unwrap_or(SessionError::Conflict))
    }

    /// Makes one attempt, under an id that no other attempt uses. Returns `None` if nothing has
    /// changed and another attempt may succeed.
    async fn try_rotate(self: &Arc<Self>, rotation: &mut Rotation<'_>) -> Result<Option<Created>> {
        // The owner may change concurrently. Each attempt decides by the record that it deletes: a
        // rotation deletes the old record only if it holds the owner that was copied, and a session
        // of another owner is deleted only as long as it is another owner's.
        if let Some((owner, new)) = &rotation.login
            && is_of_another(&rotation.seen, owner)
        {
            let seen = rotation.seen.clone();
            if let Some(newer) = self.destroy_of_another(&rotation.old, seen, owner).await? {
                rotation.seen = newer;
                return Ok(None);
            }
            // Destroyed before the new session exists: after a crash in between, the user logs in
            // again.
            return self.create(new.clone(), Some(Map::new())).await.map(Some);
        }
        let record = (rotation.merge)(&rotation.seen)?;
        self.check_size(&record)?;
        let (id, token) = self.issue(None, &record.meta, Some(&rotation.claims))?;
        let mut new = Created {
            id,
            token,
            record,
            ended: Vec::new(),
        };
        let Err(stop) = self.rotate_to(rotation, &mut new).await else {
            new.ended = std::mem::take(&mut rotation.ended);
            return Ok(Some(new));
        };
        self.stopped(stop, rotation, new).await
    }

    /// Undoes what a rotation has done before it stopped.
    async fn stopped(
        self: &Arc<Self>,
        stop: Stop,
        rotation: &mut Rotation<'_>,
        new: Created,
    ) -> Result<Option<Created>> {
        rotation.revoked &= matches!(stop, Stop::NewGone);
        if let Stop::FailedAfterRedirect(error) = stop {
            return Err(error);
        }
        let undone = match stop {
            // The record under the new id is another session's: only the entry is undone.
            Stop::IdTaken => self.unlist_taken(&new.id, &new.record).await,
            _ => self.undo_create(&new.id, &new.record).await,
        };
        match stop {
            Stop::Failed(error) | Stop::FailedAfterRedirect(error) => Err(error),
            Stop::NotAdmitted => {
                undone?;
                let claims = Some(rotation.claims.clone());
                let mut again = self.create(new.record, claims).await?;
                again.ended.append(&mut rotation.ended);
                Ok(Some(again))
            }
            Stop::OldGone => undone.and(Err(SessionError::Gone)),
            Stop::IdTaken | Stop::NewGone | Stop::OwnerChanged => undone.map(|()| None),
        }
    }

    async fn rotate_to(&self, rotation: &mut Rotation<'_>, new: &mut Created) -> Result<(), Stop> {
        self.insert_new(rotation, new).await?;
        if rotation.seen.owner() == new.record.owner() {
            return self.end_old(rotation, new).await;
        }
        if matches!(self.max_sessions, Some((_, Evict::Refuse))) {
            // Before the old session ends, which stays if the owner may have no more.
            let admitting = self.admit(&new.id, &new.record, &mut rotation.ended);
            if !admitting.await? {
                return Err(Stop::NewGone);
            }
            return self.end_old(rotation, new).await;
        }
        // Only once the rotation is certain: one that loses must end no other session.
        self.end_old(rotation, new).await?;
        let admitting = self.admit(&new.id, &new.record, &mut rotation.ended);
        match admitting.await {
            Ok(true) => Ok(()),
            Ok(false) => Err(Stop::NotAdmitted),
            Err(error) if rotation.grace.is_some() => Err(Stop::FailedAfterRedirect(error)),
            Err(error) => Err(error.into()),
        }
    }

    /// Steps (3) to (5).
    async fn end_old(&self, rotation: &mut Rotation<'_>, new: &mut Created) -> Result<(), Stop> {
        let mut rotated = self.supersede(rotation, new).await;
        if rotated.is_ok() {
            let (old, reason) = (rotation.old.clone(), Some(SessionEnd::Rotated));
            self.end_reasons.set(&old, reason);
            rotated = self.delete_old(rotation, new).await;
            if rotated.is_err() {
                self.end_reasons.set(&old, None);
            }
        }
        if matches!(rotated, Err(Stop::Failed(_))) {
            // The redirect may have been written although the step failed. Then other requests
            // may use the new session by now, and undoing the rotation would lose their writes.
            if self.leads_to(rotation, &new.id).await {
                self.gone(&rotation.old, &rotation.seen).await;
                return Ok(());
            }
            let _ = self.reactivate_old(rotation).await;
        }
        rotated
    }

    /// Steps (1) and (2).
    async fn insert_new(&self, rotation: &Rotation<'_>, new: &Created) -> Result<(), Stop> {
        let key = self.keyspace.record(&new.id);
        let ttl = self.new_ttl(rotation, &new.record).await?;
        let (old_index, new_index) = (self.index(&rotation.seen), self.index(&new.record));
        // The old id is put as well: a lost index must not make its sessions immovable.
        let old = old_index.as_ref();
        let old = old.map(|index| self.entry(index, &rotation.old, ttl));
        // The last entry is checked after the insert. That matters if the owner changes: then
        // step (3) looks at the old owner's index only, and a `destroy_all` of the new owner may
        // have come too early to find the record.
        let added = new_index.as_ref();
        let added = added.map(|index| self.entry(index, &new.id, ttl));
        let entries: Vec<_> = old.into_iter().chain(added).collect();
        let record = NewRecord::new(&key, &new.record.bytes, ttl);
        let inserting = self.store.insert_indexed(&entries, record, None);
        match inserting.in_operation("rotate").await {
            Ok(InsertOutcome::Inserted { .. }) => Ok(()),
            Ok(InsertOutcome::KeyTaken) => Err(Stop::IdTaken),
            // Without a new owner the last entry is that of the old id.
            Ok(InsertOutcome::EntryLost) if new_index.is_none() => Err(Stop::OldGone),
            Ok(InsertOutcome::EntryLost) => Err(Stop::NewGone),
            Err(error) => Err(self.indexed_error("rotate", &key, error).await.into()),
        }
    }

    /// Returns the TTL of the new record: at most that of the old one if that is not extended.
    async fn new_ttl(&self, rotation: &Rotation<'_>, record: &Record) -> Result<Duration> {
        let old = self.keyspace.record(&rotation.old);
        self.ttl_to_write("rotate", &old, record).await
    }

    /// Step (3), the decision: a `destroy_all` before or after it takes both ids or none.
    async fn supersede(&self, rotation: &Rotation<'_>, new: &Created) -> Result<(), Stop> {
        let Some(index) = self.index(&rotation.seen) else {
            return Ok(());
        };
        // The index of the old owner has no new id if the owner changes: `old` twice makes the
        // step check the old id only.
        let same_owner = rotation.seen.owner() == new.record.owner();
        let new = if same_owner { &new.id } else { &rotation.old };
        let (old, new, now) = (rotation.old.as_str(), new.as_str(), self.tombstone_time());
        let deciding = self.store.index_supersede(&index, old, new, now);
        let decided = deciding.in_operation("rotate").await;
        match decided.map_err(SessionError::from)? {
            SupersedeOutcome::Superseded => Ok(()),
            SupersedeOutcome::OldNotActive => Err(Stop::OldGone),
            SupersedeOutcome::NewNotActive => Err(Stop::NewGone),
        }
    }

    /// Steps (4) and (5).
    ///
    /// A write to the old record that was acknowledged before its deletion must not be lost:
    /// newer data of the same owner is copied to the new record first.
    async fn delete_old(&self, rotation: &mut Rotation<'_>, new: &mut Created) -> Result<(), Stop> {
        let key = self.keyspace.record(&rotation.old);
        let mut retries = Retries::new(COPIES);
        while retries.next().await {
            let deleted = self.compare_and_delete_old(rotation, &key, &new.id).await;
            let before = match deleted.map_err(record_error)? {
                // Another rotation with a grace has won. Its redirect is never overwritten.
                CompareOutcome::Mismatch(value) if Redirect::parse(&value).is_some() => {
                    self.gone(&rotation.old, &rotation.seen).await;
                    return Err(Stop::OldGone);
                }
                CompareOutcome::Mismatch(value) => self.parse(value)?,
                deleted => {
                    // Best effort: a list removes old tombstones.
                    self.gone(&rotation.old, &rotation.seen).await;
                    let applied = matches!(deleted, CompareOutcome::Applied);
                    return applied.then_some(()).ok_or(Stop::OldGone);
                }
            };
            // The decision was made on the index of the former owner. A `destroy_all` of the
            // present one has not seen it, so that index has to decide again.
            let owner_changed = before.owner() != rotation.seen.owner();
            rotation.seen = before;
            if owner_changed {
                return Err(Stop::OwnerChanged);
            }
            self.copy_newer(rotation, new).await?;
        }
        Err(SessionError::Conflict.into())
    }

    /// Writes newer data to the new record.
    ///
    /// The new token was not returned yet, but the new id may be in a list. What was written to
    /// the new record through the list is overwritten.
    async fn copy_newer(&self, rotation: &mut Rotation<'_>, new: &mut Created) -> Result<(), Stop> {
        let mut expected = new.record.bytes.clone();
        new.record = (rotation.merge)(&rotation.seen)?;
        self.check_size(&new.record)?;
        let key = self.keyspace.record(&new.id);
        let ttl = self.new_ttl(rotation, &new.record).await?;
        let mut retries = Retries::new(COPIES);
        while retries.next().await {
            let record = NewRecord::new(&key, &new.record.bytes, ttl);
            let writing = self.store.compare_and_set(&expected, record);
            let written = writing.in_operation("rotate").await;
            match written.map_err(record_error)? {
                CompareOutcome::Applied => return Ok(()),
                // It was rotated through the list.
                CompareOutcome::Mismatch(value) if Redirect::parse(&value).is_some() => break,
                CompareOutcome::Mismatch(value) => expected = value,
                // It was destroyed through the list, and so the session has ended.
                CompareOutcome::Missing => return Err(Stop::OldGone),
            }
        }
        Err(SessionError::Conflict.into())
    }

    /// Keeps the old session after a failure: its tombstone, if there is one, becomes an active
    /// entry, unless a `destroy_all` has made it its own.
    async fn reactivate_old(&self, rotation: &Rotation<'_>) -> Result<()> {
        let Some(index) = self.index(&rotation.seen) else {
            return Ok(());
        };
        let ttl = self.new_ttl(rotation, &rotation.seen).await?;
        let entry = self.entry(&index, &rotation.old, ttl);
        // One atomic step: if the entry were removed and put again, a `destroy_all` in between
        // would miss the session.
        let reactivation = self.store.index_put(entry, PutMode::UndoSupersede);
        Ok(reactivation.in_operation("rotate").await?)
    }
}
