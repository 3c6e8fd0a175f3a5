//! Creation of a session under a generated id.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::tasks::spawn_detached;
use crate::record::{Meta, Record};
use crate::retries::Retries;
use crate::store::{Due, InsertOutcome, NewRecord};
use crate::telemetry::StoreCall as _;
use crate::token::{NewClaims, Token};

/// The number of attempts, each of which fails if the id is taken or a `destroy_all` interferes.
const ATTEMPTS: u32 = 5;

/// The number of index entries that one creation checks because their score has passed.
const PRUNE_LIMIT: usize = 8;

/// A session that was just created.
pub(crate) struct Created {
    pub(crate) id: SessionId,
    /// `None` if no token was requested.
    pub(crate) token: Option<Token>,
    pub(crate) record: Record,
}

impl Lifecycle {
    /// Stores `record` under a new id and issues its token.
    pub(crate) async fn create(
        self: Arc<Self>,
        record: Record,
        claims: Option<Map<String, Value>>,
    ) -> Result<Created> {
        self.check_size(&record)?;
        let mut failure = SessionError::Revoked;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            let (id, token) = self.issue(record.meta(), claims.as_ref())?;
            match self.insert(&id, &record).await {
                Ok(InsertOutcome::Inserted { .. }) => return Ok(Created { id, token, record }),
                Ok(InsertOutcome::KeyTaken) => {
                    self.unlist_taken(&id, &record).await?;
                    failure = SessionError::Taken;
                }
                Ok(InsertOutcome::EntryLost) => {
                    self.undo_create(&id, &record).await?;
                    failure = SessionError::Revoked;
                }
                Err(error) => {
                    // The insert may have been applied. The token is dropped here, but `list` would
                    // return the session.
                    let lifecycle = Arc::clone(&self);
                    spawn_detached(async move { lifecycle.undo_create(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(failure)
    }

    /// Generates an id, and issues its token if `claims` request one.
    pub(crate) fn issue(
        &self,
        meta: &Meta,
        claims: Option<&Map<String, Value>>,
    ) -> Result<(SessionId, Option<Token>)> {
        let Some(claims) = claims else {
            return Ok(((self.new_id)(), None));
        };
        let claims = self.claims(meta, claims);
        let (id, token) = self.format()?.issue(&claims, || (self.new_id)())?;
        Ok((id, Some(token)))
    }

    /// Returns the claims for the token of a session with `meta`, issued now.
    pub(crate) fn claims<'a>(
        &self,
        meta: &'a Meta,
        custom: &'a Map<String, Value>,
    ) -> NewClaims<'a> {
        let mut claims = NewClaims::at_unix(self.now()).custom(custom);
        if let Some(owner) = &meta.owner {
            claims = claims.subject(owner.as_str());
        }
        if let Some(expires) = meta.expires {
            claims = claims.expires_at_unix(expires);
        }
        claims
    }

    /// Stores `record` under `id` and adds `id` to the index of its owner.
    ///
    /// Steps: (1) put the id into the index, (2) insert the record, (3) check that the id is
    /// still active. A concurrent `destroy_all` sets its tombstones before or after (1):
    ///
    /// - Before (1): the id is not among them. The session counts as created after the call.
    /// - After (1): the id gets a tombstone. The call then deletes the record. If it looked for
    ///   the record before (2), it found nothing to delete, but (3) sees the tombstone.
    pub(crate) async fn insert(
        self: &Arc<Self>,
        id: &SessionId,
        record: &Record,
    ) -> Result<InsertOutcome> {
        let (key, ttl) = (self.keyspace.record(id), self.ttl(record)?);
        let index = self.index(record);
        let entry = index.as_ref().map(|index| self.entry(index, id, ttl));
        let due = entry.map(|_| Due {
            by: self.now(),
            limit: PRUNE_LIMIT,
        });
        let new = NewRecord::new(&key, record.bytes(), ttl);
        let inserting = self.store.insert_indexed(entry.as_slice(), new, due);
        let due = match inserting.in_operation("create").await {
            Ok(InsertOutcome::Inserted { due }) => due,
            Ok(outcome) => return Ok(outcome),
            Err(error) => return Err(self.indexed_error("create", &key, error).await),
        };
        if let Some(owner) = record.owner().cloned().filter(|_| !due.is_empty()) {
            // Without this, the index of an owner who never calls `list` would grow without bound.
            let lifecycle = Arc::clone(self);
            spawn_detached(async move {
                let pruned = lifecycle.read_entries("cleanup", &owner, &due).await;
                pruned.map(drop)
            });
        }
        Ok(InsertOutcome::Inserted { due: Vec::new() })
    }

    /// Undoes a creation or a rotation. Deletes the record before its index entry, so that a record
    /// that remains after a failure stays listed.
    pub(crate) async fn undo_create(&self, id: &SessionId, record: &Record) -> Result<()> {
        let key = self.keyspace.record(id);
        if let Some(index) = self.index(record) {
            let (keys, members) = ([&*key], [id.as_str()]);
            let deletion = self.store.delete_indexed(&keys, &index, &members);
            deletion.in_operation("cleanup").await?;
        } else {
            self.store.delete(&key).in_operation("cleanup").await?;
        }
        Ok(())
    }

    /// Removes `id`, under which another record exists, from the index of the owner of `record`.
    ///
    /// The failed insert has put it there. It stays if the other record has the same owner.
    pub(crate) async fn unlist_taken(&self, id: &SessionId, record: &Record) -> Result<()> {
        let Some(index) = self.index(record) else {
            return Ok(());
        };
        let loaded = self.load_record("create", &self.keyspace.record(id)).await;
        match self.validate(loaded) {
            Ok((taken, _)) if taken.owner() == record.owner() => Ok(()),
            Err(SessionError::Unavailable(error)) => Err(error.into()),
            Ok(_) | Err(_) => self.remove_entry(&index, id).await,
        }
    }
}
