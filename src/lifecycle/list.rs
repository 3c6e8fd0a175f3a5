//! Listing the sessions of an owner.

use std::sync::Arc;
use std::time::Duration;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::tasks::run_to_completion;
use crate::record::Record;
use crate::record::owner::Owner;
use crate::store::{EntryState, IndexEntry, IndexFilter};
use crate::telemetry;

/// The number of records read in one round trip. Each may be as large as the size limit.
const BATCH: usize = 16;

/// Seconds after which a tombstone is certainly not that of a rotation or a `destroy_all` that is
/// still running.
const ABANDONED: i64 = 60;

/// A session in its owner's list.
pub(crate) struct Listed {
    pub(crate) id: SessionId,
    pub(crate) record: Record,
    /// The remaining TTL, or `None` if the record does not expire.
    pub(crate) ttl: Option<Duration>,
}

impl Lifecycle {
    /// Reads every session of `owner`.
    ///
    /// Also completes a `destroy_all` or a rotation that crashed, and removes entries whose
    /// sessions have ended. A session with a recent tombstone is listed: the operation that set the
    /// tombstone may still fail, and then the session goes on.
    pub(crate) async fn list(self: &Arc<Self>, owner: Owner) -> Result<Vec<Listed>, SessionError> {
        let index = self.keyspace.index(&owner);
        let reading = self.store.index_list(&index, IndexFilter::All);
        let entries = telemetry::store_call("list", reading).await?;
        let (abandoned, entries): (Vec<_>, Vec<_>) = entries
            .into_iter()
            .partition(|entry| self.is_abandoned(entry.state));
        if !abandoned.is_empty() {
            // Several steps: they run to their end even if the caller is dropped.
            let (lifecycle, owner, index) = (Arc::clone(self), owner.clone(), index.clone());
            run_to_completion(async move {
                let ids: Vec<_> = abandoned.into_iter().map(|entry| entry.member).collect();
                lifecycle
                    .complete_deletes("list", &owner, &index, &ids)
                    .await
            })
            .await?;
        }
        let mut listed = Vec::with_capacity(entries.len());
        for entries in entries.chunks(BATCH) {
            self.list_batch(&index, &owner, entries, &mut listed)
                .await?;
        }
        Ok(listed)
    }

    pub(crate) fn is_abandoned(&self, state: EntryState) -> bool {
        match state {
            EntryState::Deleting { since } => self.now().saturating_sub(since) >= ABANDONED,
            EntryState::Active { .. } => false,
        }
    }

    async fn list_batch(
        &self,
        index: &str,
        owner: &Owner,
        entries: &[IndexEntry],
        listed: &mut Vec<Listed>,
    ) -> Result<(), SessionError> {
        let entries: Vec<_> = entries
            .iter()
            .filter_map(|entry| Some((SessionId::parse(&entry.member).ok()?, entry.state)))
            .collect();
        let keys: Vec<_> = entries
            .iter()
            .map(|(id, _)| self.keyspace.record(id))
            .collect();
        let keys: Vec<_> = keys.iter().map(String::as_str).collect();
        // Taken before the reads: an entry that is put again meanwhile is not due by then.
        let due_by = self.now();
        let (mut live, mut dead) = (Vec::new(), Vec::new());
        let loaded = self.load_records("list", &keys).await?;
        for ((id, state), loaded) in entries.iter().zip(loaded) {
            // An entry is put before its record is inserted. Until it is due, an absent record,
            // or one of another owner, may be one that is just being written.
            let due = self.is_due(*state);
            match self.validate(loaded) {
                Ok((record, ttl)) if record.meta().owner.as_ref() == Some(owner) => {
                    live.extend(due.then(|| self.entry(index, id, ttl.unwrap_or_default())));
                    let id = id.clone();
                    listed.push(Listed { id, record, ttl });
                }
                Ok(_) | Err(SessionError::Rejected(_)) => {
                    dead.extend(due.then_some(id.as_str()));
                }
                Err(error) => return Err(error),
            }
        }
        if !live.is_empty() || !dead.is_empty() {
            let refresh = self.store.index_refresh(index, &live, &dead, due_by);
            telemetry::store_call("list", refresh).await?;
        }
        Ok(())
    }

    fn is_due(&self, state: EntryState) -> bool {
        matches!(state, EntryState::Active { check_after } if check_after < self.now())
    }
}
