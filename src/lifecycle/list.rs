//! Listing the sessions of an owner.

use std::sync::Arc;

use crate::error::Result;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::index::Listed;
use crate::lifecycle::tasks::run_to_completion;
use crate::record::owner::Owner;
use crate::store::IndexEntry;
use crate::telemetry::StoreCall as _;

impl Lifecycle {
    /// Reads every session of `owner`.
    ///
    /// Also completes a `destroy_all` or a rotation that crashed, and removes entries whose
    /// sessions have ended.
    pub(crate) async fn list(self: &Arc<Self>, owner: Owner) -> Result<Vec<Listed>> {
        let index = self.keyspace.index(&owner);
        let reading = self.store.index_list(&index, None);
        let entries = reading.in_operation("list").await?;
        // A session with a recent tombstone is listed: the operation that set the tombstone may
        // still fail, which leaves the session active.
        let is_abandoned = |entry: &IndexEntry| self.is_abandoned(entry.state);
        let (abandoned, entries): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_abandoned);
        if !abandoned.is_empty() {
            let ids: Vec<_> = abandoned.into_iter().map(|entry| entry.member).collect();
            let (lifecycle, owner) = (Arc::clone(self), owner.clone());
            // Several steps: they run to their end even if the caller is dropped.
            run_to_completion(
                async move { lifecycle.complete_deletes("list", &owner, &ids).await },
            )
            .await?;
        }
        self.read_entries("list", &owner, &entries).await
    }
}
