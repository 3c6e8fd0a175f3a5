//! Logging an owner in.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Lifecycle, record_error};
use crate::lifecycle::create::Created;
use crate::lifecycle::retries::Retries;
use crate::lifecycle::rotate::Rotation;
use crate::lifecycle::save::Edit;
use crate::record::Record;
use crate::record::owner::Owner;
use crate::store::CompareOutcome;
use crate::telemetry;

/// Attempts of a login whose session is given to another owner meanwhile, or whose new session is
/// deleted by a `destroy_all`.
const ATTEMPTS: u32 = 5;

/// Attempts to delete a session of another owner that is being written.
const DELETES: u32 = 64;

/// What a login starts with.
pub(crate) struct Login<'a> {
    /// The session of the request, as it was last seen.
    pub(crate) session: Option<(SessionId, Record)>,
    pub(crate) owner: Owner,
    /// The record of a new session of `owner`, without data of another session.
    pub(crate) new: Record,
    /// Makes the record of the rotated session, which belongs to `owner`.
    pub(crate) edit: Edit<'a>,
    /// The caller's own claims for the token of a rotated session.
    pub(crate) claims: Map<String, Value>,
}

impl Lifecycle {
    /// Logs an owner in: an id that was known before never works afterwards.
    ///
    /// Without a session, creates one. A session without owner, or of the same owner, is rotated
    /// and keeps its data. A session of another owner is destroyed and an empty one is created, so
    /// that no data passes from one owner to another.
    ///
    /// The owner may change concurrently. Each attempt decides by the record that it deletes: a
    /// rotation deletes the old record only if it holds the owner that was copied, and a session
    /// of another owner is deleted only as long as it is another owner's.
    pub(crate) async fn login(self: Arc<Self>, login: Login<'_>) -> Result<Created, SessionError> {
        let Login {
            session,
            owner,
            new,
            edit,
            claims,
        } = login;
        let Some((id, mut seen)) = session else {
            return self.create(new, Some(Map::new())).await;
        };
        let mut revoked = true;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            if is_of_another(&seen, &owner) {
                match self.destroy_of_another(&id, seen, &owner).await? {
                    // Destroyed before the new session exists: after a crash in between, the user
                    // logs in again.
                    None => return self.create(new, Some(Map::new())).await,
                    Some(newer) => seen = newer,
                }
                continue;
            }
            match self.rotate_once(&id, seen, &claims, &mut *edit).await? {
                Rotation::Rotated(created) => return Ok(created),
                Rotation::Again {
                    before,
                    new_revoked,
                } => {
                    seen = before;
                    revoked &= new_revoked;
                }
            }
        }
        Err(SessionError::lost(revoked))
    }

    /// Destroys a session as long as it belongs to another owner than `owner`. Returns the newer
    /// record if it does not any more.
    async fn destroy_of_another(
        &self,
        id: &SessionId,
        mut seen: Record,
        owner: &Owner,
    ) -> Result<Option<Record>, SessionError> {
        let key = self.keyspace.record(id);
        let mut retries = Retries::new(DELETES);
        while retries.next().await {
            let deletion = self.store.compare_and_delete(&key, seen.bytes());
            let deleted = telemetry::store_call("login", deletion).await;
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
    let found = record.meta().owner.as_ref();
    found.is_some_and(|found| found != owner)
}
