//! Destroying all sessions of a keyspace.

use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::lifecycle::Lifecycle;
use crate::lifecycle::end::SessionEnd;
use crate::lifecycle::index::BATCH;
use crate::record::Name;
use crate::store::ScanPage;
use crate::telemetry::StoreCall as _;

const OPERATION: &str = "destroy_everything";

/// The number of keys that one part looks at.
const PART: usize = 1000;

impl Lifecycle {
    /// Destroys the sessions of one part of the keys. Returns how many there were, and the position
    /// of the next part.
    ///
    /// The sessions of an owner whose index is found end as by `destroy_all`, so that none escapes
    /// by a rotation. The other records are those without owner, and those whose index was lost.
    pub(crate) async fn destroy_part(
        self: Arc<Self>,
        after: Option<String>,
    ) -> Result<(usize, Option<String>)> {
        if !self.keyspace.ends_with_delimiter() {
            return Err(SessionError::AmbiguousKeyspace);
        }
        let scanning = self
            .store
            .scan(self.keyspace.prefix(), after.as_deref(), PART);
        let ScanPage { keys, next, .. } = scanning.in_operation(OPERATION).await?;
        let (mut destroyed, mut records) = (0, Vec::new());
        for key in keys {
            match self.keyspace.parse(&key) {
                Some(Name::Index(owner)) => {
                    destroyed += Arc::clone(&self).destroy_all(owner, None).await?;
                }
                Some(Name::Record(id)) => {
                    let reason = Some(SessionEnd::LoggedOutEverywhere);
                    self.end_reasons.set(&id, reason);
                    records.push(key);
                }
                None => {}
            }
        }
        for keys in records.chunks(BATCH) {
            let keys: Vec<_> = keys.iter().map(String::as_str).collect();
            let deletion = self.store.delete_indexed(&keys, "", &[]);
            destroyed += deletion.in_operation(OPERATION).await?;
        }
        Ok((destroyed, next))
    }
}
