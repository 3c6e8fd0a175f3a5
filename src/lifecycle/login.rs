//! Login in a request that has the session of another owner.

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, record_error};
use crate::record::{Owner, Record};
use crate::retries::Retries;
use crate::store::CompareOutcome;
use crate::telemetry::StoreCall as _;

/// Attempts to delete a session of another owner that is being written.
const DELETES: u32 = 64;

impl Lifecycle {
    /// Destroys a session as long as it belongs to another owner than `owner`. Returns the newer
    /// record if the owner has changed.
    pub(crate) async fn destroy_of_another(
        &self,
        id: &SessionId,
        mut seen: Record,
        owner: &Owner,
    ) -> Result<Option<Record>> {
        let key = self.keyspace.record(id);
        let mut retries = Retries::new(DELETES);
        while retries.next().await {
            let deletion = self.store.compare_and_delete(&key, &seen.bytes);
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

pub(crate) fn is_of_another(record: &Record, owner: &Owner) -> bool {
    record.owner().is_some_and(|found| found != owner)
}
