//! Bringing a session into being under an id that the caller chose.
//!
//! Another may create, destroy and create again under the same id at any time. So what is taken
//! back is compared first, and no id is taken off a list, which might be another creation's place
//! in it: what is listed without a record is harmless, and leaves the list when its score has
//! passed.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, back_off, in_background};
use crate::lifecycle::create::{Created, Outcome};
use crate::lifecycle::reply;
use crate::record::Record;
use crate::store::Command;

/// How often a creation that met a `destroy_all` is tried.
const ATTEMPTS: u32 = 5;

/// The try from which on each is waited before: the `destroy_all` has to end.
const PATIENCE: u32 = 3;

impl Engine {
    /// Writes `record` under `id`, unless a session stands there, and issues the token for it.
    pub(crate) async fn create_as(
        self: Arc<Self>,
        id: SessionId,
        record: Record,
        claims: Map<String, Value>,
    ) -> Result<Created, SessionError> {
        let claims = self.claims(record.meta(), &claims);
        let token = self.format.issue_as(&id, &claims)?;
        let record = record.with_nonce((self.new_id)().as_str());
        self.check_size(&record)?;
        if record.meta().owner.is_some() && self.is_taken(&id).await? {
            return Err(SessionError::Taken);
        }
        for attempt in 0..ATTEMPTS {
            match self.try_create_as(&id, &record).await {
                Ok(Outcome::Created) => return Ok(Created { id, token, record }),
                Ok(Outcome::Taken) | Err(SessionError::Corrupt) => return Err(SessionError::Taken),
                Ok(Outcome::Destroyed) => back_off(PATIENCE + attempt).await,
                Err(error) => {
                    let engine = Arc::clone(&self);
                    in_background(async move { engine.take_back(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(SessionError::Conflict)
    }

    /// Looks before the owner's list is written to, so that an id which is taken for long leaves
    /// no trace there.
    async fn is_taken(&self, id: &SessionId) -> Result<bool, SessionError> {
        let key = self.keyspace.record(id);
        let [loaded] = self.run([Command::Load { key: &key }]).await?;
        match reply::record(loaded) {
            Ok(stored) => Ok(stored.is_some()),
            Err(SessionError::Corrupt) => Ok(true),
            Err(error) => Err(error),
        }
    }

    async fn try_create_as(
        self: &Arc<Self>,
        id: &SessionId,
        record: &Record,
    ) -> Result<Outcome, SessionError> {
        let outcome = self.insert(id, record).await?;
        if matches!(outcome, Outcome::Destroyed) {
            self.take_back(id, record).await?;
            self.finish_abandoned(id, record).await?;
        }
        Ok(outcome)
    }

    /// Undoes a creation. Its nonce makes its bytes its own: a session that another has created
    /// under this id is left alone, and one that was changed since is not this one any more.
    async fn take_back(&self, id: &SessionId, record: &Record) -> Result<(), SessionError> {
        let (key, expected) = (self.keyspace.record(id), record.bytes());
        let [compared] = self
            .run([Command::CompareAndDelete {
                key: &key,
                expected,
            }])
            .await?;
        reply::compared(compared).map(drop)
    }

    /// Finishes what a `destroy_all` that was cut short has begun with this id. The mark of one
    /// that may still be under way stays until that has taken it off: an id that is listed again
    /// before would be taken off the list with it.
    async fn finish_abandoned(&self, id: &SessionId, record: &Record) -> Result<(), SessionError> {
        let Some(owner) = record.meta().owner.as_ref() else {
            return Ok(());
        };
        let index = self.keyspace.index(owner);
        let [entries] = self.run([Command::IndexEntries { index: &index }]).await?;
        let entries = reply::entries(entries)?;
        let own = entries.iter().find(|entry| entry.member == id.as_str());
        if own.is_some_and(|entry| self.is_abandoned(entry)) {
            self.finish(owner, &index, &[id.as_str().to_owned()])
                .await?;
        }
        Ok(())
    }
}
