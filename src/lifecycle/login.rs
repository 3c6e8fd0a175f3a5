//! Logging an owner in.

use std::sync::Arc;

use serde_json::Map;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::core::{Lifecycle, record_error};
use crate::lifecycle::create::Created;
use crate::lifecycle::rotate::{ATTEMPTS, Rotation};
use crate::record::Record;
use crate::record::owner::Owner;
use crate::retries::Retries;
use crate::store::CompareOutcome;
use crate::telemetry::StoreCall as _;

/// Attempts to delete a session of another owner that is being written.
const DELETES: u32 = 64;

impl Lifecycle {
    /// Logs `owner` in: an id that was known before never works afterwards.
    ///
    /// Without a session of the request, creates `new`, which has no data of another session. A
    /// session without owner, or of the same owner, is rotated and keeps its data. A session of
    /// another owner is destroyed and `new` is created, so that no data passes from one owner to
    /// another.
    pub(crate) async fn login(
        self: Arc<Self>,
        owner: &Owner,
        new: Record,
        rotation: Option<Rotation<'_>>,
    ) -> Result<Created> {
        let Some(mut rotation) = rotation else {
            return self.create(new, Some(Map::new())).await;
        };
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            // The owner may change concurrently. Each attempt decides by the record that it
            // deletes: a rotation deletes the old record only if it holds the owner that was
            // copied, and a session of another owner is deleted only as long as it is another
            // owner's.
            if !is_of_another(&rotation.seen, owner) {
                if let Some(created) = self.try_rotate(&mut rotation).await? {
                    return Ok(created);
                }
                continue;
            }
            let (id, seen) = (&rotation.old, rotation.seen);
            match self.destroy_of_another(id, seen, owner).await? {
                // Destroyed before the new session exists: after a crash in between, the user
                // logs in again.
                None => return self.create(new, Some(Map::new())).await,
                Some(newer) => rotation.seen = newer,
            }
        }
        Err(rotation.lost())
    }

    /// Destroys a session as long as it belongs to another owner than `owner`. Returns the newer
    /// record if the owner has changed.
    async fn destroy_of_another(
        &self,
        id: &SessionId,
        mut seen: Record,
        owner: &Owner,
    ) -> Result<Option<Record>> {
        let key = self.keyspace.record(id);
        let mut retries = Retries::new(DELETES);
        while retries.next().await {
            let deletion = self.store.compare_and_delete(&key, seen.bytes());
            let deleted = deletion.in_operation("login").await;
            match deleted.map_err(record_error)? {
                CompareOutcome::Applied | CompareOutcome::Missing => {
                    // The record first, as in `destroy`. Best effort: an entry without a record
                    // is removed when it is due.
                    self.gone(id, &seen).await;
                    return Ok(None);
                }
                CompareOutcome::Mismatch(value) => seen = self.parse(value)?,
            }
            if !is_of_another(&seen, owner) {
                return Ok(Some(seen));
            }
        }
        Err(SessionError::Conflict)
    }
}

fn is_of_another(record: &Record, owner: &Owner) -> bool {
    record.owner().is_some_and(|found| found != owner)
}
