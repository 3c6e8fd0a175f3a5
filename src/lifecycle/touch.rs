//! Refreshing the TTL of a session.

use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::core::Lifecycle;
use crate::lifecycle::lifetime::{Remaining, is_storable, limit};
use crate::record::Record;
use crate::telemetry::StoreCall as _;

impl Lifecycle {
    /// Sets the TTL to `ttl` or to the max age, but not beyond the absolute lifetime. Returns
    /// what is left then.
    pub(crate) async fn touch(
        &self,
        id: &SessionId,
        record: &Record,
        ttl: Option<Duration>,
    ) -> Result<Remaining> {
        let at = self.now_millis();
        let longest = match ttl {
            None => self.ttl(record).ok(),
            Some(ttl) if !is_storable(ttl) => return Err(SessionError::InvalidDuration),
            Some(ttl) => limit(ttl, self.end(record), at),
        };
        let Some(ttl) = longest else {
            // The clock of the host that set the end may be behind this one.
            return self.keep_ttl(id, record, at).await;
        };
        self.set_ttl(id, record, ttl).await?;
        Ok(Remaining::new(Some(ttl), at))
    }

    /// Returns what the store has left of a session that is past its absolute end by the clock of
    /// this host, but within the leeway: its TTL is not extended.
    async fn keep_ttl(&self, id: &SessionId, record: &Record, at: i64) -> Result<Remaining> {
        let key = self.keyspace.record(id);
        match self.ttl_to_write("touch", &key, record).await {
            Ok(ttl) => Ok(Remaining::new(Some(ttl), at)),
            Err(SessionError::Gone) => Err(self.gone(id, record).await),
            Err(error) => Err(error),
        }
    }

    /// Refreshes the TTL if that is due, as [`Lifecycle::load`] does, but waits for it. Returns
    /// what is left then.
    pub(crate) async fn keep_alive(
        &self,
        id: &SessionId,
        record: &Record,
        remaining: Remaining,
    ) -> Result<Remaining> {
        if self.due(record, remaining).is_some() {
            return self.touch(id, record, None).await;
        }
        let now = self.now_millis();
        let left = remaining.at(now).ok_or(SessionError::Gone)?;
        match limit(left, self.end(record), now) {
            Some(left) => Ok(Remaining::new(Some(left), now)),
            None => self.keep_ttl(id, record, now).await,
        }
    }

    /// Sets the TTL of the record and of its index entry.
    pub(crate) async fn set_ttl(
        &self,
        id: &SessionId,
        record: &Record,
        ttl: Duration,
    ) -> Result<()> {
        let key = self.keyspace.record(id);
        let set = if let Some(index) = self.index(record) {
            let entry = self.entry(&index, id, ttl);
            let setting = self.store.set_ttl_indexed(entry, &key, ttl);
            setting.in_operation("touch").await
        } else {
            self.store.set_ttl(&key, ttl).in_operation("touch").await
        };
        match set {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.gone(id, record).await),
            Err(error) => Err(self.indexed_error("touch", &key, error).await),
        }
    }
}
