//! Giving a session to another owner.

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::save::{ATTEMPTS, Saved};
use crate::record::Record;
use crate::retries::Retries;
use crate::store::{EntryState, PutMode};
use crate::telemetry::StoreCall as _;

impl Lifecycle {
    /// Completes a write that gave the session to another owner.
    ///
    /// The entry in the new owner's index must be active. If it is a tombstone, a concurrent
    /// `destroy_all` may have passed the session by, because it belonged to the old owner then.
    pub(crate) async fn transfer_owner(&self, id: &SessionId, saved: &Saved) -> Result<()> {
        // The old owner's entry stays: another handle may just be giving the session back.
        // Sessions of other owners are neither listed nor destroyed, and their entries are
        // removed when due.
        if saved.after.owner() == saved.before.owner() {
            return Ok(());
        }
        match self.index(&saved.after) {
            Some(index) if !self.is_active(&index, id).await? => {
                self.reindex(id, &index, &saved.after).await
            }
            _ => Ok(()),
        }
    }

    async fn is_active(&self, index: &str, id: &SessionId) -> Result<bool> {
        let reading = self.store.index_get(index, id.as_str());
        let state = reading.in_operation("update").await?;
        Ok(matches!(state, Some(EntryState::Active { .. })))
    }

    /// Reactivates the entry of a session that is a tombstone in its new owner's index.
    ///
    /// The `destroy_all` that set the tombstone either finds that the session is the owner's and
    /// deletes it, or has found that it was not yet.
    async fn reindex(&self, id: &SessionId, index: &str, record: &Record) -> Result<()> {
        let key = self.keyspace.record(id);
        let ttl = self.ttl_to_write("update", &key, record).await?;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            let entry = self.entry(index, id, ttl);
            let reactivation = self.store.index_put(entry, PutMode::Reactivate);
            reactivation.in_operation("update").await?;
            // The record is read between the put and the check: if the entry is still active
            // after the record was seen, no `destroy_all` has begun to delete it in between.
            let loaded = self.load_record("update", &key).await;
            match self.validate(loaded) {
                // The write that gave it away since takes care of the other index.
                Ok((now, _)) if now.owner() != record.owner() => return Ok(()),
                Ok(_) if self.is_active(index, id).await? => return Ok(()),
                Ok(_) => {}
                Err(SessionError::Rejected(_)) => return Err(self.gone(id, record).await),
                Err(error) => return Err(error),
            }
        }
        Err(SessionError::Conflict)
    }
}
