//! Reading a session, and refreshing its TTL.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{
    DEFAULT_SHARE, Found, Lifecycle, Loaded, Read, Remaining, Touch, is_storable, limit,
    spawn_detached,
};
use crate::record::Record;
use crate::retries::Retries;
use crate::store::CompareOutcome;
use crate::telemetry::StoreCall as _;
use crate::token_rejection::TokenRejection;

/// Attempts of a refresh that meets changes of the metadata.
const ATTEMPTS: u32 = 16;

impl Lifecycle {
    /// Reads the session `id` and refreshes its TTL if that is due.
    pub(crate) async fn load(self: &Arc<Self>, id: &SessionId) -> Result<Loaded> {
        if self.touch == Some(Touch::EveryRead) {
            // Boxed, because it is rare, and a future is moved until it runs.
            return Box::pin(self.reload(id)).await;
        }
        Ok(self.used(id, self.get_without_touch(id).await?))
    }

    /// As [`load`](Self::load), but never from a cache of the store.
    pub(crate) async fn reload(self: &Arc<Self>, id: &SessionId) -> Result<Loaded> {
        let at = self.now_millis();
        let loaded = self.found(self.find("load", id, Read::Newest).await, at)?;
        if self.touch == Some(Touch::EveryRead) {
            return self.touched(id, loaded).await;
        }
        Ok(self.used(id, loaded))
    }

    /// Refreshes the TTL of a session that was read, and waits for it.
    ///
    /// Only after the read: the record decides how long the session lives.
    async fn touched(&self, id: &SessionId, loaded: Loaded) -> Result<Loaded> {
        let id = loaded.new_id.as_ref().unwrap_or(id);
        let touching = self.keep_alive(id, &loaded.record, loaded.remaining);
        let touched = match touching.await {
            Ok(remaining) => Ok(Loaded {
                remaining,
                ..loaded
            }),
            Err(error) => self.touched_after(id, &loaded.record, error).await,
        };
        touched.map_err(|error| match error {
            SessionError::Gone => SessionError::Rejected(TokenRejection::Unknown),
            error => error,
        })
    }

    /// Touches the session that `id` leads to, if it was rotated with a grace since it was read.
    async fn touched_after(
        &self,
        id: &SessionId,
        seen: &Record,
        error: SessionError,
    ) -> Result<Loaded> {
        let loaded = self.follow_after("load", id, Some(seen), error).await?;
        let id = loaded.new_id.as_ref().unwrap_or(id);
        let touching = self.keep_alive(id, &loaded.record, loaded.remaining);
        Ok(Loaded {
            remaining: touching.await?,
            ..loaded
        })
    }

    /// Refreshes the TTL of a session that was read if that is due, in the background: the request
    /// does not wait for it.
    fn used(self: &Arc<Self>, id: &SessionId, loaded: Loaded) -> Loaded {
        let Loaded {
            record,
            remaining,
            new_id,
            ..
        } = &loaded;
        // As of the read: few reads refresh, so most need no other time.
        if self.is_due(record, *remaining, remaining.at_millis()) {
            let id = new_id.as_ref().unwrap_or(id);
            let (lifecycle, id, record) = (Arc::clone(self), id.clone(), record.clone());
            spawn_detached(async move { lifecycle.reset_ttl(&id, &record).await.map(drop) });
        }
        loaded
    }

    /// Reads the session `id` and leaves its TTL alone. A cache of the store may serve it.
    pub(crate) async fn get_without_touch(&self, id: &SessionId) -> Result<Loaded> {
        let at = self.now_millis();
        self.found(self.find("load", id, Read::Cached).await, at)
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
                let mut each = Vec::with_capacity(sessions.len());
                for ((lifecycle, _), stored) in sessions.iter().zip(records) {
                    let found = lifecycle.follow("load", stored, Read::Newest).await;
                    each.push(lifecycle.found(found, at));
                }
                each
            }
            Err(error) => sessions.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    fn found(&self, found: Found, at: i64) -> Result<Loaded> {
        let validated = self.validate(found.stored);
        #[cfg(feature = "metrics")]
        self.reads.loaded(validated.is_ok());
        let (record, ttl) = validated?;
        Ok(Loaded {
            record,
            remaining: Remaining::new(ttl, at),
            new_id: found.new_id,
            grace_end: found.grace_end,
        })
    }

    /// Returns whether the session exists. Leaves its TTL alone.
    pub(crate) async fn is_alive(&self, id: &SessionId) -> Result<bool> {
        let found = self.find("is_alive", id, Read::Newest).await;
        match self.validate(found.stored) {
            Ok(_) => Ok(true),
            Err(SessionError::Rejected(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Returns whether a refresh is due at `now`, in Unix milliseconds: the time of
    /// [`Touch::After`] has passed since the last use, or more is left than a use gives, or the
    /// record does not expire.
    fn is_due(&self, record: &Record, remaining: Remaining, now: i64) -> bool {
        let Some(full) = self.ttl_at(record, now) else {
            return false;
        };
        let Some(left) = remaining.at(now) else {
            return true;
        };
        let Some(idle) = self.idle(record) else {
            return false;
        };
        let share = idle / DEFAULT_SHARE;
        let slack = match self.touch {
            None => share,
            // It was chosen for the idle time of the configuration. For a shorter one it could be
            // so long that no read refreshes.
            Some(Touch::After(after)) if record.meta.idle().is_some() => after.min(share),
            Some(Touch::After(after)) => after,
            Some(Touch::EveryRead) => Duration::ZERO,
            Some(Touch::Never) => return false,
        };
        let longer = full + slack.min(share);
        left.is_zero() || left < full.saturating_sub(slack) || left > longer
    }

    /// Sets the TTL to `ttl` or to the max age, but not beyond the absolute lifetime. Returns
    /// what is left then.
    pub(crate) async fn touch(
        &self,
        id: &SessionId,
        record: &Record,
        ttl: Option<Duration>,
    ) -> Result<Remaining> {
        let Some(ttl) = ttl else {
            return self.reset_ttl(id, record).await;
        };
        if !is_storable(ttl) {
            return Err(SessionError::InvalidDuration);
        }
        let at = self.now_millis();
        let Some(ttl) = limit(ttl, self.end(record), at) else {
            return self.keep_ttl(id, record, at).await;
        };
        match self.set_ttl(id, record, b"", ttl).await? {
            CompareOutcome::Missing => Err(self.gone(id, record).await),
            _ => Ok(Remaining::new(Some(ttl), at)),
        }
    }

    /// Sets the TTL to that of a use now, and returns what is left then. `seen` is the record as it
    /// was last seen.
    ///
    /// If the metadata have changed since, another writer may have set another max age, and with it
    /// the TTL. So the TTL is set only if they are still the same, and computed again if not.
    async fn reset_ttl(&self, id: &SessionId, seen: &Record) -> Result<Remaining> {
        let mut newer = None;
        let mut retries = Retries::new(ATTEMPTS);
        while retries.next().await {
            let (record, at) = (newer.as_ref().unwrap_or(seen), self.now_millis());
            let Some(ttl) = self.ttl_at(record, at) else {
                // The clock of the host that set the end may be behind this one.
                return self.keep_ttl(id, record, at).await;
            };
            match self.set_ttl(id, record, record.meta_prefix(), ttl).await? {
                CompareOutcome::Applied => return Ok(Remaining::new(Some(ttl), at)),
                CompareOutcome::Missing => return Err(self.gone(id, record).await),
                CompareOutcome::Mismatch(value) => newer = Some(self.parse(value)?),
            }
        }
        // Each attempt was lost to a write, which has set the TTL itself. As an error, it would make
        // a read reject the token.
        let (key, at) = (self.keyspace.record(id), self.now_millis());
        let Some(stored) = self.load_record("touch", &key).await? else {
            return Err(self.gone(id, seen).await);
        };
        // A redirect is an error, which the caller follows.
        self.parse(stored.value)?;
        Ok(Remaining::new(stored.ttl, at))
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
        if let Some(left) = self.left_if_not_due(record, remaining, now) {
            return Ok(left);
        }
        if self.is_due(record, remaining, now) {
            return self.touch(id, record, None).await;
        }
        remaining.at(now).ok_or(SessionError::Gone)?;
        self.keep_ttl(id, record, now).await
    }

    /// Returns what is left at `now`, in Unix milliseconds; `None` if a refresh is due, or only the
    /// store can answer.
    pub(crate) fn left_if_not_due(
        &self,
        record: &Record,
        remaining: Remaining,
        now: i64,
    ) -> Option<Remaining> {
        if self.is_due(record, remaining, now) {
            return None;
        }
        let left = limit(remaining.at(now)?, self.end(record), now)?;
        Some(Remaining::new(Some(left), now))
    }

    /// Sets the TTL of the record, if it starts with `prefix`, and of its index entry.
    async fn set_ttl(
        &self,
        id: &SessionId,
        record: &Record,
        prefix: &[u8],
        ttl: Duration,
    ) -> Result<CompareOutcome> {
        let key = self.keyspace.record(id);
        let index = self.index(record);
        let entry = index.as_ref().map(|index| self.entry(index, id, ttl));
        let setting = match entry {
            Some(entry) => self.store.set_ttl_indexed(entry, &key, prefix, ttl),
            None => self.store.set_ttl_if(&key, prefix, ttl),
        };
        match setting.in_operation("touch").await {
            Ok(outcome) => Ok(outcome),
            Err(error) => Err(self.indexed_error("touch", &key, error).await),
        }
    }
}
