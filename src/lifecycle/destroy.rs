//! Destroying sessions.

use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::end::SessionEnd;
use crate::lifecycle::index::{BATCH, PAGE};
use crate::lifecycle::{Found, HOPS, Lifecycle, Read, record_error};
use crate::record::{Owner, Record, Redirect};
use crate::store::{EntryState, IndexEntry, IndexPage, StoredRecord};
use crate::telemetry::StoreCall as _;

impl Lifecycle {
    /// Destroys one session and returns whether it existed.
    ///
    /// Deletes the record before its index entry. After a crash in between, the entry remains, and
    /// a later call on the index removes it.
    ///
    /// A redirect is not deleted by the step that deletes a record. So a rotation with a grace
    /// comes before the deletion, which then follows it, or finds the record gone, and deletes
    /// the new one. It cannot come in between, whatever this handle has seen of the session.
    pub(crate) async fn destroy(
        self: Arc<Self>,
        mut id: SessionId,
        owner: Option<Owner>,
    ) -> Result<bool> {
        for _ in 0..=HOPS {
            let key = self.keyspace.record(&id);
            let deletion = self.store.delete(&key).in_operation("destroy");
            let deleted = deletion.await.map_err(record_error)?;
            if let Some(owner) = &owner {
                // Not in one pipeline with the delete: a pipeline continues after a rejected
                // command, and a session that still exists must stay in the index, or
                // `destroy_all` misses it. Errors are ignored: the session is gone, and its entry
                // is removed when due.
                let _ = self.remove_entry(&self.keyspace.index(owner), &id).await;
            }
            if deleted {
                return Ok(true);
            }
            let stored = self.load_record("destroy", &key).await;
            match self.redirect(&stored) {
                Some(redirect) => id = redirect.to,
                None => return self.delete_dead_redirect(&key, stored?).await,
            }
        }
        Err(SessionError::Conflict)
    }

    /// Deletes a value that looks like a redirect but leads nowhere: its grace has ended, or it is
    /// corrupt. Returns `false`: there was no session to end.
    async fn delete_dead_redirect(&self, key: &str, stored: Option<StoredRecord>) -> Result<bool> {
        if let Some(stored) = stored.filter(StoredRecord::is_redirect) {
            let deletion = self.store.compare_and_delete(key, &stored.value);
            let deleted = deletion.in_operation("destroy").await;
            deleted.map_err(record_error)?;
        }
        Ok(false)
    }

    /// Destroys the session `id` if it belongs to `owner`, or in any case without `owner`.
    ///
    /// Without `owner`, a record that is not a session is deleted as well: it gives no access, but
    /// it keeps the id taken. Data of another type stays, because neither this library nor the npm
    /// package can have written it.
    pub(crate) async fn destroy_by_id(
        self: Arc<Self>,
        id: SessionId,
        owner: Option<Owner>,
    ) -> Result<bool> {
        let Found { stored, new_id, .. } = self.find("destroy", &id, Read::Newest).await;
        let id = new_id.unwrap_or(id);
        match occupant(stored)? {
            Occupant::Session(found) if owner.is_none() || found == owner => {
                self.destroy(id, found).await
            }
            Occupant::Session(_) | Occupant::Redirect | Occupant::Nothing => Ok(false),
            Occupant::Corrupt if owner.is_none() => self.destroy(id, None).await,
            Occupant::Corrupt | Occupant::WrongType => Err(SessionError::Corrupt),
        }
    }

    /// Destroys the session `id` of a verified token, whatever is stored under its key.
    ///
    /// The token proves that this key was issued for a session, so data of another type under it
    /// does not belong to another application.
    pub(crate) async fn destroy_by_token(self: Arc<Self>, id: SessionId) -> Result<bool> {
        match Arc::clone(&self).destroy_by_id(id.clone(), None).await {
            Err(SessionError::Corrupt) => self.destroy(id, None).await,
            destroyed => destroyed,
        }
    }

    /// Destroys all sessions of `owner` except `keep` and returns how many there were.
    ///
    /// 1. One atomic step turns all entries into tombstones of a deletion, those of rotations
    ///    among them: no rotation that fails later makes one of them active again.
    /// 2. The tombstones are read in pages, with those that an interrupted call has left. They
    ///    have the lowest scores, and their scores do not change.
    /// 3. The records of each page are deleted, except those that belong to another owner now.
    /// 4. The tombstones of the page are removed.
    ///
    /// After a failure the call can be repeated.
    pub(crate) async fn destroy_all(
        self: Arc<Self>,
        owner: Owner,
        keep: Option<SessionId>,
    ) -> Result<usize> {
        let index = self.keyspace.index(&owner);
        // The id to keep may be one that the session had before a rotation.
        let keep = match keep {
            Some(id) => Some(self.newest_id("destroy_all", id).await?),
            None => None,
        };
        let keep = keep.as_ref().map(SessionId::as_str);
        let now = self.tombstone_time();
        let deleting = self.store.index_tombstone_all(&index, keep, now);
        deleting.in_operation("destroy_all").await?;
        let (mut destroyed, mut after) = (0, None);
        loop {
            let page = IndexPage::ascending(after.as_ref(), PAGE);
            let reading = self.store.index_page(&index, page);
            let entries = reading.in_operation("destroy_all").await?;
            let is_deleting =
                |entry: &&IndexEntry| matches!(entry.state, EntryState::Deleting { .. });
            let is_last = entries.len() < PAGE || !entries.last().as_ref().is_some_and(is_deleting);
            after = entries.last().cloned();
            let tombstones = entries.into_iter().take_while(|entry| is_deleting(&entry));
            let tombstones = tombstones.map(|entry| entry.member);
            // An interrupted call, of all sessions, may have left `keep` as a tombstone.
            let tombstones: Vec<_> = tombstones.filter(|id| keep != Some(&**id)).collect();
            for id in tombstones.iter().filter_map(|id| SessionId::parse(id).ok()) {
                let reason = Some(SessionEnd::LoggedOutEverywhere);
                self.end_reasons.set(&id, reason);
            }
            let completing = self.complete_deletes("destroy_all", &owner, &tombstones);
            destroyed += completing.await?;
            if is_last {
                return Ok(destroyed);
            }
        }
    }

    /// Returns the id that the session `id` has now.
    pub(crate) async fn newest_id(
        &self,
        operation: &'static str,
        id: SessionId,
    ) -> Result<SessionId> {
        let Found { stored, new_id, .. } = self.find(operation, &id, Read::Newest).await;
        match stored {
            Err(error @ SessionError::Unavailable(_)) => Err(error),
            _ => Ok(new_id.unwrap_or(id)),
        }
    }

    /// Deletes the sessions of `tombstones` and returns how many there were.
    ///
    /// An index may contain a session that belongs to another owner now. It stays, and so does
    /// its tombstone: if the session is about to return to `owner`, the tombstone is how
    /// [`Lifecycle::transfer_owner`] notices this call.
    pub(crate) async fn complete_deletes(
        &self,
        operation: &'static str,
        owner: &Owner,
        tombstones: &[String],
    ) -> Result<usize> {
        let index = self.keyspace.index(owner);
        let ids = tombstones.iter();
        let ids: Vec<_> = ids.filter_map(|id| SessionId::parse(id).ok()).collect();
        let mut destroyed = 0;
        for ids in ids.chunks(BATCH) {
            let keys: Vec<_> = ids.iter().map(|id| self.keyspace.record(id)).collect();
            let (mut members, mut deletes) = (Vec::new(), Vec::new());
            let loaded = self.load_records(operation, &keys).await?;
            for ((id, key), loaded) in ids.iter().zip(&keys).zip(loaded) {
                match occupant(loaded)? {
                    Occupant::Session(Some(found)) if found == *owner => deletes.push(&**key),
                    Occupant::Session(_) => continue,
                    // A concurrent creation may have inserted it since. One that inserts it later
                    // finds its entry missing and starts again.
                    Occupant::Nothing => deletes.push(&**key),
                    // The new id of the session was put into the index before the redirect was
                    // written: the same call has its tombstone, or it is the one to keep.
                    Occupant::Redirect => {}
                    // It may be data of another application: only its entry is removed.
                    Occupant::Corrupt | Occupant::WrongType => {}
                }
                members.push(id.as_str());
            }
            // Two calls: a pipeline continues after a rejected delete. A session that still exists
            // must stay in the index, or repeating the call would miss it.
            if !deletes.is_empty() {
                let deletion = self.store.delete_indexed(&deletes, &index, &[]);
                destroyed += deletion.in_operation(operation).await?;
            }
            let removal = self.store.index_remove(&index, &members, None);
            removal.in_operation(operation).await?;
        }
        Ok(destroyed)
    }
}

/// What is stored under the key of a session.
enum Occupant {
    Nothing,
    /// A session and its owner.
    Session(Option<Owner>),
    /// The session has another id.
    Redirect,
    /// A value that cannot be parsed as a session.
    Corrupt,
    /// Data of another type, such as a Redis hash.
    WrongType,
}

/// Classifies a loaded record. Validates nothing else, so that a session that is too large or has
/// expired can be destroyed.
fn occupant(loaded: Result<Option<StoredRecord>>) -> Result<Occupant> {
    Ok(match loaded {
        Ok(None) => Occupant::Nothing,
        Ok(Some(stored)) if Redirect::parse(&stored.value).is_some() => Occupant::Redirect,
        Ok(Some(stored)) => match Record::parse(stored.value) {
            Ok(record) => Occupant::Session(record.owner().cloned()),
            Err(_) => Occupant::Corrupt,
        },
        Err(SessionError::Corrupt) => Occupant::WrongType,
        Err(error) => return Err(error),
    })
}
