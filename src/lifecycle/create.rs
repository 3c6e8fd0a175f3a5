//! Bringing a session into being.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, in_background};
use crate::lifecycle::reply;
use crate::record::owner::Owner;
use crate::record::{Meta, Record};
use crate::store::{Command, StoreError};
use crate::token::{NewClaims, Token};

/// How often a creation that met a taken id, or a `destroy_all`, is started again.
const ATTEMPTS: u32 = 5;

/// How many entries of an index a creation looks after.
const PRUNE_LIMIT: usize = 8;

/// A session that has just come into being.
pub(crate) struct Created {
    pub(crate) id: SessionId,
    pub(crate) token: Token,
    pub(crate) record: Record,
}

/// How one try to create a session came out.
pub(crate) enum Outcome {
    Created,
    /// Another session has this id.
    Taken,
    /// A concurrent `destroy_all` has taken the new session with it.
    Destroyed,
}

impl Engine {
    /// Writes `record` under a fresh id and issues the token for it.
    pub(crate) async fn create(
        self: Arc<Self>,
        record: Record,
        claims: Map<String, Value>,
    ) -> Result<Created, SessionError> {
        self.check_size(&record)?;
        for _ in 0..ATTEMPTS {
            let (id, token) = self.issue(record.meta(), &claims)?;
            match self.insert(&id, &record).await {
                Ok(Outcome::Created) => return Ok(Created { id, token, record }),
                Ok(Outcome::Taken) => self.unlist_taken(&id, &record).await?,
                Ok(Outcome::Destroyed) => self.discard(&id, &record).await?,
                Err(error) => {
                    let engine = Arc::clone(&self);
                    in_background(async move { engine.discard(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(SessionError::Conflict)
    }

    /// Draws an id and issues the token for it.
    pub(crate) fn issue(
        &self,
        meta: &Meta,
        claims: &Map<String, Value>,
    ) -> Result<(SessionId, Token), SessionError> {
        let claims = self.claims(meta, claims);
        Ok(self.format.issue(&claims, || (self.new_id)())?)
    }

    /// What the token of a session will say besides its id.
    pub(crate) fn claims<'a>(
        &self,
        meta: &'a Meta,
        custom: &'a Map<String, Value>,
    ) -> NewClaims<'a> {
        let mut claims = NewClaims::at(self.now()).custom(custom);
        if let Some(owner) = &meta.owner {
            claims = claims.subject(owner.as_str());
        }
        if let Some(expires) = meta.expires {
            claims = claims.expires_at(expires);
        }
        claims
    }

    /// (1) lists the id with its owner, (2) writes the record, (3) checks that the id is still
    /// listed: a `destroy_all` in between may have come too early to find the record.
    pub(crate) async fn insert(
        self: &Arc<Self>,
        id: &SessionId,
        record: &Record,
    ) -> Result<Outcome, SessionError> {
        let (key, ttl) = (self.keyspace.record(id), self.ttl(record)?);
        let write = Command::Insert {
            key: &key,
            value: record.bytes(),
            ttl,
        };
        let Some(index) = self.index(record.meta().owner.as_ref()) else {
            let [inserted] = self.run([write]).await?;
            return Ok(if reply::applied(inserted)? {
                Outcome::Created
            } else {
                Outcome::Taken
            });
        };
        let check = Command::IndexCheck {
            index: &index,
            member: id.as_str(),
        };
        let due = Command::IndexDue {
            index: &index,
            score: self.now(),
            limit: PRUNE_LIMIT,
        };
        let [_, inserted, listed, due] = self
            .run([self.put(&index, id, ttl), write, check, due])
            .await?;
        if !reply::applied(inserted)? {
            return Ok(Outcome::Taken);
        }
        if !reply::applied(listed)? {
            return Ok(Outcome::Destroyed);
        }
        if let Some(owner) = record.meta().owner.clone() {
            self.prune(owner, index, reply::members(due)?);
        }
        Ok(Outcome::Created)
    }

    /// Undoes a creation or a rotation: the record first, then its place in the index.
    pub(crate) async fn discard(
        &self,
        id: &SessionId,
        record: &Record,
    ) -> Result<(), SessionError> {
        let key = self.keyspace.record(id);
        let delete = Command::Delete { key: &key };
        let Some(index) = self.index(record.meta().owner.as_ref()) else {
            return self.run([delete]).await.map(drop);
        };
        let members = [id.as_str()];
        self.run([
            delete,
            Command::IndexRemove {
                index: &index,
                members: &members,
            },
        ])
        .await?;
        Ok(())
    }

    /// Takes an id that belongs to somebody else's session off this owner's list again.
    pub(crate) async fn unlist_taken(
        &self,
        id: &SessionId,
        record: &Record,
    ) -> Result<(), SessionError> {
        let Some(index) = self.index(record.meta().owner.as_ref()) else {
            return Ok(());
        };
        let key = self.keyspace.record(id);
        let [taken] = self.run([Command::Load { key: &key }]).await?;
        let owner = match self.judge(reply::record(taken)) {
            Ok((taken, _)) => taken.meta().owner.clone(),
            Err(SessionError::Unavailable(error)) => return Err(error.into()),
            Err(_) => None,
        };
        if owner == record.meta().owner {
            return Ok(());
        }
        let members = [id.as_str()];
        self.run([Command::IndexRemove {
            index: &index,
            members: &members,
        }])
        .await?;
        Ok(())
    }

    /// Asks after the sessions whose score has passed: those that live get a new score, those
    /// that do not, or are another owner's now, leave the index. Nobody waits for it.
    fn prune(self: &Arc<Self>, owner: Owner, index: String, due: Vec<String>) {
        if due.is_empty() {
            return;
        }
        let engine = Arc::clone(self);
        in_background(async move { engine.look_after(&owner, &index, &due).await });
    }

    async fn look_after(
        &self,
        owner: &Owner,
        index: &str,
        due: &[String],
    ) -> Result<(), SessionError> {
        let score = self.now();
        let ids: Vec<_> = due
            .iter()
            .filter_map(|id| SessionId::parse(id).ok())
            .collect();
        let keys: Vec<_> = ids.iter().map(|id| self.keyspace.record(id)).collect();
        let loads: Vec<_> = keys.iter().map(|key| Command::Load { key }).collect();
        let mut dead = Vec::new();
        let mut commands = Vec::new();
        for (id, loaded) in ids.iter().zip(self.run_all(&loads).await?) {
            match self.judge(reply::record(loaded)) {
                Ok((record, ttl)) if record.meta().owner.as_ref() == Some(owner) => {
                    commands.push(self.put(index, id, ttl.unwrap_or_default()));
                }
                Ok(_) | Err(SessionError::Rejected(_)) => dead.push(id.as_str()),
                Err(error) => return Err(error),
            }
        }
        commands.push(Command::IndexPrune {
            index,
            members: &dead,
            score,
        });
        self.run_all(&commands)
            .await
            .map(drop)
            .map_err(StoreError::into)
    }
}
