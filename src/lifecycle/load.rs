//! Reading a session, and refreshing its TTL.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{
    DEFAULT_SHARE, Lifecycle, Remaining, Touch, is_storable, limit, record_error, spawn_detached,
};
use crate::record::Record;
use crate::store::StoredRecord;
use crate::telemetry::StoreCall as _;

/// A session that was read.
pub(crate) struct Loaded {
    pub(crate) record: Record,
    pub(crate) remaining: Remaining,
}

impl Lifecycle {
    /// Reads the session `id` and refreshes its TTL if that is due.
    ///
    /// `expires` is the absolute end in Unix seconds, if the token has one.
    pub(crate) async fn load(
        self: &Arc<Self>,
        id: &SessionId,
        expires: Option<i64>,
    ) -> Result<Loaded> {
        match self.exact_ttl(expires) {
            None => Ok(self.used(id, self.get_without_touch(id).await?)),
            Some(ttl) => self.load_and_touch(id, ttl).await,
        }
    }

    /// As [`load`](Self::load), but never from a cache of the store.
    pub(crate) async fn reload(
        self: &Arc<Self>,
        id: &SessionId,
        expires: Option<i64>,
    ) -> Result<Loaded> {
        if let Some(ttl) = self.exact_ttl(expires) {
            return self.load_and_touch(id, ttl).await;
        }
        let (key, at) = (self.keyspace.record(id), self.now_millis());
        let loaded = self.load_record("load", &key).await;
        Ok(self.used(id, self.found(loaded, at)?))
    }

    /// Refreshes the TTL of a session that was read if that is due.
    fn used(self: &Arc<Self>, id: &SessionId, loaded: Loaded) -> Loaded {
        let Loaded { record, remaining } = &loaded;
        // As of the read: few reads refresh, so most need no other time. The TTL to set does.
        if self.is_due(record, *remaining, remaining.at_millis())
            && let Some(ttl) = self.ttl(record)
        {
            self.refresh(id, record, ttl);
        }
        loaded
    }

    /// Reads the session `id` and sets its TTL to `ttl` in the same round trip.
    async fn load_and_touch(self: &Arc<Self>, id: &SessionId, ttl: Duration) -> Result<Loaded> {
        let (key, at) = (self.keyspace.record(id), self.now_millis());
        let loading = self.store.load_and_set_ttl(&key, ttl).in_read(&self.reads);
        let loaded = loading.await.map_err(record_error);
        let Loaded { record, .. } = self.found(loaded, at)?;
        // The read has not refreshed the index entry, and the absolute end may be in the record
        // only, not in the token.
        if let Some(full) = self.ttl(&record)
            && (record.owner().is_some() || full < ttl)
        {
            self.refresh(id, &record, full);
        }
        let remaining = Remaining::new(Some(ttl), at);
        Ok(Loaded { record, remaining })
    }

    /// Reads the session `id` and leaves its TTL alone. A cache of the store may serve it.
    pub(crate) async fn get_without_touch(&self, id: &SessionId) -> Result<Loaded> {
        let (key, at) = (self.keyspace.record(id), self.now_millis());
        let loading = self.store.load(&key).in_read(&self.reads);
        self.found(loading.await.map_err(record_error), at)
    }

    /// Reads several sessions: in one round trip if all of them are in the same store.
    pub(crate) async fn get_many(sessions: &[(&Self, &SessionId)]) -> Vec<Result<Loaded>> {
        let same_store = |pair: &[(&Self, _)]| pair[0].0.store.ptr_eq(&pair[1].0.store);
        let (Some((first, _)), true) = (sessions.first(), sessions.windows(2).all(same_store))
        else {
            let mut each = Vec::with_capacity(sessions.len());
            for (lifecycle, id) in sessions {
                // Boxed: most callers have one store.
                each.push(Box::pin(lifecycle.get_without_touch(id)).await);
            }
            return each;
        };
        let at = first.now_millis();
        let key = |(lifecycle, id): &(&Self, &SessionId)| lifecycle.keyspace.record(id);
        let keys: Vec<_> = sessions.iter().map(key).collect();
        match first.load_records("load", &keys).await {
            Ok(records) => {
                let records = sessions.iter().zip(records);
                let found = records.map(|((lifecycle, _), loaded)| lifecycle.found(loaded, at));
                found.collect()
            }
            Err(error) => sessions.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn found(&self, loaded: Result<Option<StoredRecord>>, at: i64) -> Result<Loaded> {
        let validated = self.validate(loaded);
        #[cfg(feature = "metrics")]
        self.reads.loaded(validated.is_ok());
        let (record, ttl) = validated?;
        let remaining = Remaining::new(ttl, at);
        Ok(Loaded { record, remaining })
    }

    /// Returns whether the session exists. Leaves its TTL alone.
    pub(crate) async fn is_alive(&self, id: &SessionId) -> Result<bool> {
        let key = self.keyspace.record(id);
        let loaded = self.load_record("is_alive", &key).await;
        match self.validate(loaded) {
            Ok(_) => Ok(true),
            Err(SessionError::Rejected(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns the TTL to set with each read, if each read sets it.
    fn exact_ttl(&self, expires: Option<i64>) -> Option<Duration> {
        let every_read = self.touch == Touch::EveryRead;
        let idle = self.lifetime.idle().filter(|_| every_read)?;
        limit(idle, expires, self.now_millis())
    }

    /// Returns whether a refresh is due at `now`, in Unix milliseconds: the time of
    /// [`Touch::After`] has passed since the last use, or more is left than a use gives, or the
    /// record does not expire.
    fn is_due(&self, record: &Record, remaining: Remaining, now: i64) -> bool {
        let Some(full) = self.lifetime.ttl(self.end(record), now) else {
            return false;
        };
        let Some(left) = remaining.at(now) else {
            return true;
        };
        let slack = match self.touch {
            Touch::EveryRead => Duration::ZERO,
            Touch::After(after) => after,
            Touch::Never => return false,
        };
        self.lifetime.idle().is_some_and(|idle| {
            let longer = full + slack.min(idle / DEFAULT_SHARE);
            left.is_zero() || left < full.saturating_sub(slack) || left > longer
        })
    }

    /// Sets the TTL in the background: the request does not wait for it.
    fn refresh(self: &Arc<Self>, id: &SessionId, record: &Record, ttl: Duration) {
        let (lifecycle, id, record) = (Arc::clone(self), id.clone(), record.clone());
        spawn_detached(async move { lifecycle.set_ttl(&id, &record, ttl).await });
    }

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
            None => self.ttl(record),
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
        let now = self.now_millis();
        // Boxed, because most calls need neither, and a future is moved until it runs.
        if self.is_due(record, remaining, now) {
            return Box::pin(self.touch(id, record, None)).await;
        }
        let left = remaining.at(now).ok_or(SessionError::Gone)?;
        match limit(left, self.end(record), now) {
            Some(left) => Ok(Remaining::new(Some(left), now)),
            None => Box::pin(self.keep_ttl(id, record, now)).await,
        }
    }

    /// Sets the TTL of the record and of its index entry.
    async fn set_ttl(&self, id: &SessionId, record: &Record, ttl: Duration) -> Result<()> {
        let key = self.keyspace.record(id);
        let index = self.index(record);
        let entry = index.as_ref().map(|index| self.entry(index, id, ttl));
        let setting = match entry {
            Some(entry) => self.store.set_ttl_indexed(entry, &key, ttl),
            None => self.store.set_ttl(&key, ttl),
        };
        match setting.in_operation("touch").await {
            Ok(true) => Ok(()),
            Ok(false) => Err(self.gone(id, record).await),
            Err(error) => Err(self.indexed_error("touch", &key, error).await),
        }
    }
}
