//! Creating a session.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Lifecycle, record_error};
use crate::lifecycle::retries::Retries;
use crate::lifecycle::tasks::spawn_detached;
use crate::record::owner::Owner;
use crate::record::{Meta, Record};
use crate::store::{Due, IndexEntry, InsertOutcome, NewRecord};
use crate::telemetry;
use crate::token::{NewClaims, Token};

/// Attempts of a creation that meets a taken id or a `destroy_all`.
const ATTEMPTS: u32 = 5;

/// The number of due index entries that one creation checks.
const PRUNE_LIMIT: usize = 8;

/// A session that was just created.
pub(crate) struct Created {
    pub(crate) id: SessionId,
    /// `None`: none was requested.
    pub(crate) token: Option<Token>,
    pub(crate) record: Record,
}

impl Lifecycle {
    /// Stores `record` under a new id and issues its token.
    pub(crate) async fn create(
        self: Arc<Self>,
        record: Record,
        claims: Option<Map<String, Value>>,
    ) -> Result<Created, SessionError> {
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
                    // The insert may have been applied. Without its token the session is of no
                    // use, but it would be listed.
                    let lifecycle = Arc::clone(&self);
                    spawn_detached(async move { lifecycle.undo_create(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(failure)
    }

    /// Draws an id, and issues its token if `claims` request one.
    pub(crate) fn issue(
        &self,
        meta: &Meta,
        claims: Option<&Map<String, Value>>,
    ) -> Result<(SessionId, Option<Token>), SessionError> {
        let Some(claims) = claims else {
            return Ok(((self.new_id)(), None));
        };
        let claims = self.claims(meta, claims);
        let (id, token) = self.format()?.issue(&claims, || (self.new_id)())?;
        Ok((id, Some(token)))
    }

    /// Returns the claims of a session's token.
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

    /// Stores `record` under `id` and lists it with its owner.
    ///
    /// Steps: (1) put the id into the index, (2) insert the record, (3) check that the id is
    /// still active. Two orders are possible with a concurrent `destroy_all`. If its tombstones
    /// come after (1), it deletes the record or (3) sees the tombstone, because it may have come
    /// too early to find the record. If they come before (1), the session is newer than the call.
    pub(crate) async fn insert(
        self: &Arc<Self>,
        id: &SessionId,
        record: &Record,
    ) -> Result<InsertOutcome, SessionError> {
        let (key, ttl) = (self.keyspace.record(id), self.ttl(record)?);
        let new = NewRecord::new(&key, record.bytes(), ttl);
        let Some(owner) = &record.meta().owner else {
            let inserting = self.store.insert_indexed(&[], new, None);
            let inserted = telemetry::store_call("create", inserting).await;
            return inserted.map_err(record_error);
        };
        let index = self.keyspace.index(owner);
        let due = Due {
            by: self.now(),
            limit: PRUNE_LIMIT,
        };
        let entries = [self.entry(&index, id, ttl)];
        let inserting = self.store.insert_indexed(&entries, new, Some(due));
        match telemetry::store_call("create", inserting).await {
            Ok(InsertOutcome::Inserted { due }) => {
                if !due.is_empty() {
                    let (lifecycle, owner) = (Arc::clone(self), owner.clone());
                    spawn_detached(async move { lifecycle.prune(&owner, &index, due).await });
                }
                Ok(InsertOutcome::inserted(Vec::new()))
            }
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.indexed_error("create", &key, error).await),
        }
    }

    /// Undoes a creation or a rotation: deletes the record, then its index entry.
    pub(crate) async fn undo_create(
        &self,
        id: &SessionId,
        record: &Record,
    ) -> Result<(), SessionError> {
        let key = self.keyspace.record(id);
        match self.index(record.meta().owner.as_ref()) {
            None => {
                telemetry::store_call("cleanup", self.store.delete(&key)).await?;
            }
            Some(index) => {
                let (keys, members) = ([&*key], [id.as_str()]);
                let deletion = self.store.delete_indexed(&keys, &index, &members);
                telemetry::store_call("cleanup", deletion).await?;
            }
        }
        Ok(())
    }

    /// Removes a taken id from this owner's index, unless the session is this owner's.
    pub(crate) async fn unlist_taken(
        &self,
        id: &SessionId,
        record: &Record,
    ) -> Result<(), SessionError> {
        let Some(index) = self.index(record.meta().owner.as_ref()) else {
            return Ok(());
        };
        let loaded = self.load_record("create", &self.keyspace.record(id)).await;
        let owner = match self.validate(loaded) {
            Ok((taken, _)) => taken.meta().owner.clone(),
            Err(SessionError::Unavailable(error)) => return Err(error.into()),
            Err(_) => None,
        };
        if owner == record.meta().owner {
            return Ok(());
        }
        self.remove_entry(&index, id).await
    }

    /// Checks the sessions of due index entries. Those that exist get a new `check_after`; those
    /// that do not, or belong to another owner, are removed from the index.
    async fn prune(
        &self,
        owner: &Owner,
        index: &str,
        due: Vec<IndexEntry>,
    ) -> Result<(), SessionError> {
        // Taken before the reads: an entry that is put again meanwhile is not due by then.
        let due_by = self.now();
        let ids = due.iter();
        let ids: Vec<_> = ids
            .filter_map(|entry| SessionId::parse(&entry.member).ok())
            .collect();
        let keys: Vec<_> = ids.iter().map(|id| self.keyspace.record(id)).collect();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        for (id, loaded) in ids.iter().zip(self.load_records("cleanup", &keys).await?) {
            match self.validate(loaded) {
                Ok((record, ttl)) if record.meta().owner.as_ref() == Some(owner) => {
                    live.push(self.entry(index, id, ttl.unwrap_or_default()));
                }
                Ok(_) | Err(SessionError::Rejected(_)) => dead.push(id.as_str()),
                Err(error) => return Err(error),
            }
        }
        let refresh = self.store.index_refresh(index, &live, &dead, due_by);
        Ok(telemetry::store_call("cleanup", refresh).await?)
    }
}
