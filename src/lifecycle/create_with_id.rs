//! Creating a session under an id that the caller chose.
//!
//! Other processes may create, destroy and create again under the same id at any time. Therefore
//! an undo compares before it deletes, and no entry is removed from an index, because it may be
//! that of another creation. An entry without a record is harmless and is removed when it is due.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::core::{Lifecycle, record_error};
use crate::lifecycle::create::Created;
use crate::lifecycle::tasks::spawn_detached;
use crate::record::Record;
use crate::retries::Retries;
use crate::store::InsertOutcome;
use crate::telemetry::StoreCall as _;

/// Attempts of a creation that meets a `destroy_all`.
const ATTEMPTS: u32 = 5;

impl Lifecycle {
    /// Stores `record` under `id`, unless a session with this id exists, and issues its token.
    pub(crate) async fn create_with_id(
        self: Arc<Self>,
        id: SessionId,
        record: Record,
        claims: Option<Map<String, Value>>,
    ) -> Result<Created> {
        let token = match &claims {
            Some(claims) => {
                let claims = self.claims(record.meta(), claims);
                Some(self.format()?.issue_as(&id, &claims)?)
            }
            None => None,
        };
        let record = record.with_nonce((self.new_id)().as_str());
        self.check_size(&record)?;
        // Checked before the index is written, so that an id that is taken for long leaves no
        // trace there.
        if record.owner().is_some() {
            match self.load_record("create", &self.keyspace.record(&id)).await {
                Ok(None) => {}
                Ok(Some(_)) | Err(SessionError::Corrupt) => return Err(SessionError::Taken),
                Err(error) => return Err(error),
            }
        }
        // A pause before each new attempt lets the concurrent `destroy_all` finish.
        let mut retries = Retries::with_pauses(ATTEMPTS);
        while retries.next().await {
            match self.try_create_with_id(&id, &record).await {
                Ok(InsertOutcome::Inserted { .. }) => return Ok(Created { id, token, record }),
                Ok(InsertOutcome::KeyTaken) | Err(SessionError::Corrupt) => {
                    return Err(SessionError::Taken);
                }
                Ok(InsertOutcome::EntryLost) => {}
                // The insert may have been applied, and would hold the id.
                Err(error) => {
                    let lifecycle = Arc::clone(&self);
                    spawn_detached(async move { lifecycle.undo_own_create(&id, &record).await });
                    return Err(error);
                }
            }
        }
        Err(SessionError::Revoked)
    }

    async fn try_create_with_id(
        self: &Arc<Self>,
        id: &SessionId,
        record: &Record,
    ) -> Result<InsertOutcome> {
        let outcome = self.insert(id, record).await?;
        if matches!(outcome, InsertOutcome::EntryLost) {
            self.undo_own_create(id, record).await?;
            self.complete_abandoned(id, record).await?;
        }
        Ok(outcome)
    }

    /// Undoes a creation. Its nonce makes the bytes unique: a session that another process has
    /// created under this id, or that was changed since, stays.
    async fn undo_own_create(&self, id: &SessionId, record: &Record) -> Result<()> {
        let key = self.keyspace.record(id);
        let deletion = self.store.compare_and_delete(&key, record.bytes());
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
