//! A session in its owner's list.

use std::sync::Arc;
use std::time::Duration;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::Engine;
use crate::lifecycle::list::Listed;
use crate::record::data::{Changes, SessionData};
use crate::record::owner::Owner;

/// A session in its owner's list, as it was when the list was made.
#[derive(Clone, Debug)]
pub struct SessionEntry {
    id: SessionId,
    created: Option<i64>,
    expires: Option<i64>,
    data: SessionData,
}

impl SessionEntry {
    pub(crate) async fn list(
        engine: &Arc<Engine>,
        owner: Owner,
    ) -> Result<Vec<Self>, SessionError> {
        let listed = engine.list(owner).await?;
        let now = engine.now_millis();
        let mut entries: Vec<_> = listed
            .into_iter()
            .map(|listed| Self::new(listed, now))
            .collect();
        entries.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        Ok(entries)
    }

    fn new(listed: Listed, now: i64) -> Self {
        let Listed { id, record, ttl } = listed;
        let left = |ttl: Duration| i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        // To the nearest second: the two clocks never show the very same millisecond.
        let end = |ttl| now.saturating_add(left(ttl)).saturating_add(500);
        Self {
            id,
            created: record.meta().created,
            expires: ttl.map(|ttl| end(ttl).div_euclid(1000)),
            data: SessionData::new(Some(record), Changes::default()),
        }
    }

    /// The id of the session.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// When it was created, in Unix seconds; `None` if it was created by Node.
    #[must_use]
    pub const fn created_at(&self) -> Option<i64> {
        self.created
    }

    /// When it ends unless it is used before, in Unix seconds; `None` if never.
    #[must_use]
    pub const fn expires_at(&self) -> Option<i64> {
        self.expires
    }

    /// Its data.
    #[must_use]
    pub const fn data(&self) -> &SessionData {
        &self.data
    }
}
