//! Creation of a session, under a generated or a chosen id.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, record_error, spawn_detached};
use crate::record::{Meta, Record};
use crate::retries::Retries;
use crate::store::{Due, InsertOutcome, NewRecord};
use crate::telemetry::StoreCall as _;
use crate::token::{AUTH_TIME, NewClaims, Token, TokenError};

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
    /// The sessions that were ended for this one.
    pub(crate) ended: Vec<SessionId>,
}

fn created(
    id: SessionId,
    token: Option<Token>,
    record: Record,
    ended: Vec<SessionId>,
) -> Result<Created> {
    Ok(Created {
        id,
        token,
        record,
        ended,
    })
}

impl Lifecycle {
    /// Stores `record` under a new id and issues its token.
    pub(crate) async fn create(
        self: &Arc<Self>,
        record: Record,
        claims: Option<Map<String, Value>>,
    ) -> Result<Created> {
        self.check_size(&record)?;
        let (mut failure, mut ended) = (SessionError::Revoked, Vec::new());
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            let (id, token) = self.issue(None, &record.meta, claims.as_ref())?;
            match self.insert(&id, &record, &mut ended).await {
                Ok(InsertOutcome::Inserted { .. }) => return created(id, token, record, ended),
                Ok(InsertOutcome::KeyTaken) => {
                    self.unlist_taken(&id, &record).await?;
                    failure = SessionError::Taken;
                }
                Ok(InsertOutcome::EntryLost) => {
                    self.undo_create(&id, &record).await?;
                    failure = SessionError::Revoked;
                }
                Err(error @ SessionError::TooManySessions { .. }) => {
                    return self.undo_create(&id, &record).await.and(Err(error));
                }
                Err(error) => {
                    // The insert may have been applied. The token is dropped here, but `list` would
                    // return the session.
                    let lifecycle = Arc::clone(self);
                    spawn_detached(async move { lifecycle.undo_create(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(failure)
    }

    /// Stores `record` under `id`, unless a session with this id exists, and issues its token.
    ///
    /// Other processes may create, destroy and create again under the same id at any time.
    /// Therefore an undo compares before it deletes, and no entry is removed from an index,
    /// because it may be that of another creation. An entry without a record is harmless and is
    /// removed when it is due.
    pub(crate) async fn create_with_id(
        self: &Arc<Self>,
        id: SessionId,
        record: Record,
        claims: Option<Map<String, Value>>,
    ) -> Result<Created> {
        let (id, token) = self.issue(Some(id), &record.meta, claims.as_ref())?;
        let record = record.with_nonce((self.new_id)().as_str());
        self.check_size(&record)?;
        self.check_not_taken(&id, &record).await?;
        // A pause before each new attempt lets the concurrent `destroy_all` finish.
        let (mut retries, mut ended) = (Retries::with_pauses(ATTEMPTS), Vec::new());
        while retries.next().await {
            let inserting = async {
                let outcome = self.insert(&id, &record, &mut ended).await?;
                if matches!(outcome, InsertOutcome::EntryLost) {
                    self.undo_own_create(&id, &record).await?;
                    self.complete_abandoned(&id, &record).await?;
                }
                Ok(outcome)
            };
            match inserting.await {
                Ok(InsertOutcome::Inserted { .. }) => return created(id, token, record, ended),
                Ok(InsertOutcome::KeyTaken) | Err(SessionError::Corrupt) => {
                    return Err(SessionError::Taken);
                }
                Ok(InsertOutcome::EntryLost) => {}
                Err(error @ SessionError::TooManySessions { .. }) => {
                    return self.undo_own_create(&id, &record).await.and(Err(error));
                }
                // The insert may have been applied, and would hold the id.
                Err(error) => {
                    let lifecycle = Arc::clone(self);
                    spawn_detached(async move { lifecycle.undo_own_create(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(SessionError::Revoked)
    }

    /// Before the index of an owner is written, so that an id that is taken for long leaves no trace
    /// there.
    async fn check_not_taken(&self, id: &SessionId, record: &Record) -> Result<()> {
        if record.owner().is_none() {
            return Ok(());
        }
        match self.load_record("create", &self.keyspace.record(id)).await {
            Ok(None) => Ok(()),
            Ok(Some(_)) | Err(SessionError::Corrupt) => Err(SessionError::Taken),
            Err(error) => Err(error),
        }
    }

    /// Issues the token of a session with `meta` if `claims` request one. Generates the id unless
    /// one was chosen.
    pub(crate) fn issue(
        &self,
        chosen: Option<SessionId>,
        meta: &Meta,
        claims: Option<&Map<String, Value>>,
    ) -> Result<(SessionId, Option<Token>)> {
        let Some(custom) = claims else {
            return Ok((chosen.unwrap_or_else(|| (self.new_id)()), None));
        };
        let mut claims = NewClaims::at(self.clock.now()).custom(custom);
        if let Some(owner) = &meta.owner {
            claims = claims.subject(owner.as_str());
        }
        if let Some(expires) = meta.expires {
            claims = claims.expires_at_unix(expires);
        }
        if self.auth_time {
            if custom.contains_key(AUTH_TIME) {
                return Err(TokenError::ReservedClaim(AUTH_TIME).into());
            }
            // A time in the future, by the clock of another host, counts as now.
            let authenticated = meta.authenticated.map(|time| time.min(self.now()));
            claims = claims.authenticated_at_unix(authenticated);
        }
        let format = self.format()?;
        let (id, token) = match chosen {
            Some(id) => format.issue_as(&id, &claims).map(|token| (id, token)),
            None => format.issue(&claims, || (self.new_id)()),
        }?;
        Ok((id, Some(token)))
    }

    /// Stores `record` under `id` and adds `id` to the index of its owner.
    ///
    /// Steps: (1) put the id into the index, (2) insert the record, (3) check that the id is
    /// still active. A concurrent `destroy_all` sets its tombstones before or after (1):
    ///
    /// - Before (1): the id is not among them. The session counts as created after the call.
    /// - After (1): the id gets a tombstone. The call then deletes the record. If it looked for
    ///   the record before (2), it found nothing to delete, but (3) sees the tombstone.
    ///
    /// (4) Enforce the limit of sessions.
    async fn insert(
        self: &Arc<Self>,
        id: &SessionId,
        record: &Record,
        ended: &mut Vec<SessionId>,
    ) -> Result<InsertOutcome> {
        let ttl = self.ttl(record).ok_or(SessionError::Gone)?;
        let key = self.keyspace.record(id);
        let index = self.index(record);
        let entry = index.as_ref().map(|index| self.entry(index, id, ttl));
        let due = entry.map(|_| Due {
            by: self.now(),
            limit: PRUNE_LIMIT,
        });
        let new = NewRecord::new(&key, &record.bytes, ttl);
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
                let visit = &mut |_, _| ();
                let pruned = lifecycle.read_entries("cleanup", &owner, &due, visit);
                pruned.await.map(drop)
            });
        }
        Ok(match self.admit(id, record, ended).await? {
            true => InsertOutcome::Inserted { due: Vec::new() },
            false => InsertOutcome::EntryLost,
        })
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

    /// Undoes a creation. Its nonce makes the bytes unique: a session that another process has
    /// created under this id, or that was changed since, stays.
    async fn undo_own_create(&self, id: &SessionId, record: &Record) -> Result<()> {
        let key = self.keyspace.record(id);
        let deletion = self.store.compare_and_delete(&key, &record.bytes);
        let deleted = deletion.in_operation("cleanup").await;
        deleted.map(drop).map_err(record_error)
    }

    /// Completes a `destroy_all` that crashed after it made this id a tombstone.
    ///
    /// The tombstone of a `destroy_all` that may still be running stays until that has removed
    /// it: an entry that becomes active before would be removed with it.
    async fn complete_abandoned(&self, id: &SessionId, record: &Record) -> Result<()> {
        let Some(owner) = record.owner() else {
            return Ok(());
        };
        let index = self.keyspace.index(owner);
        let reading = self.store.index_get(&index, id.as_str());
        let state = reading.in_operation("create").await?;
        if state.is_some_and(|state| self.is_abandoned(state)) {
            let ids = [id.as_str().to_owned()];
            self.complete_deletes("cleanup", owner, &ids).await?;
        }
        Ok(())
    }
}
