//! Entry in the list of an owner's sessions.

use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::{from_unix_millis, from_unix_seconds};
use crate::error::Result;
use crate::id::SessionId;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::index::Listed;
use crate::lifecycle::lifetime::Remaining;
use crate::record::data::SessionData;
use crate::record::owner::Owner;

/// Entry of a list of an owner's sessions, with the data as it was when the list was read.
#[derive(Clone, Debug)]
pub struct SessionEntry {
    id: SessionId,
    expires: Option<SystemTime>,
    absolute_expiry: Option<SystemTime>,
    data: SessionData,
}

impl SessionEntry {
    pub(crate) async fn list(lifecycle: &Arc<Lifecycle>, owner: Owner) -> Result<Vec<Self>> {
        let listed = lifecycle.list(owner).await?;
        let now = lifecycle.now_millis();
        let entry = |Listed { id, record, ttl }| {
            let end = lifecycle.end(&record);
            let expires = Remaining::new(ttl, now).expires(end);
            Self {
                id,
                expires: expires.and_then(from_unix_millis),
                absolute_expiry: end.and_then(from_unix_seconds),
                data: record.into(),
            }
        };
        let mut entries: Vec<_> = listed.into_iter().map(entry).collect();
        entries.sort_by(|a, b| (a.created_at(), &a.id).cmp(&(b.created_at(), &b.id)));
        Ok(entries)
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns when the session was created; `None` if it was created by Node.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        from_unix_seconds(self.data.record()?.meta().created?)
    }

    /// Returns when the session ends if it is not used; `None` if it does not expire.
    ///
    /// Computed from the time to live in the store and the clock of the application, so it is
    /// off by the difference between the clocks and by the time of the round trip.
    #[must_use]
    pub const fn expires_at(&self) -> Option<SystemTime> {
        self.expires
    }

    /// Returns when the session ends at the latest, even if it is used; `None` without an absolute
    /// lifetime.
    #[must_use]
    pub const fn absolute_expiry(&self) -> Option<SystemTime> {
        self.absolute_expiry
    }

    /// Returns the data of the session.
    #[must_use]
    pub const fn data(&self) -> &SessionData {
        &self.data
    }
}
