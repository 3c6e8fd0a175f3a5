//! Reading a session.

use std::sync::Arc;
use std::time::Duration;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, in_background};
use crate::lifecycle::lifetime::{DEFAULT_SHARE, Remaining, limit};
use crate::lifecycle::reply;
use crate::record::Record;
use crate::store::{Command, Reply, Stored};
use crate::telemetry;
use crate::token_rejection::TokenRejection;

/// A session as it was read.
pub(crate) struct Loaded {
    pub(crate) record: Record,
    pub(crate) remaining: Remaining,
}

impl Engine {
    /// Reads the record of `id` and pushes its time to live back if that is due.
    ///
    /// `expires` is the absolute end as far as the token tells it.
    pub(crate) async fn load(
        self: &Arc<Self>,
        id: &SessionId,
        expires: Option<i64>,
    ) -> Result<Loaded, SessionError> {
        let Some(ttl) = self.exact_ttl(expires) else {
            let loaded = self.get_without_touch(id).await?;
            if let Some(ttl) = self.due(&loaded.record, loaded.remaining) {
                self.push_back(id, &loaded.record, ttl);
            }
            return Ok(loaded);
        };
        let (key, at) = (self.keyspace.record(id), self.now_millis());
        let load = Command::Load { key: &key };
        let [loaded, touched] = self.run([load, Command::Expire { key: &key, ttl }]).await?;
        let Loaded { record, remaining } = self.found(loaded, at)?;
        let remaining = match touched {
            Reply::Applied(true) => Remaining::new(Some(ttl), at),
            _ => remaining,
        };
        self.complete(id, &record, ttl);
        Ok(Loaded { record, remaining })
    }

    /// Reads the record of `id` and leaves its time to live alone.
    pub(crate) async fn get_without_touch(&self, id: &SessionId) -> Result<Loaded, SessionError> {
        let (key, at) = (self.keyspace.record(id), self.now_millis());
        let [loaded] = self.run([Command::Load { key: &key }]).await?;
        self.found(loaded, at)
    }

    /// Reads several records, each with its engine: in one round trip if all have one store.
    pub(crate) async fn get_many(
        looks: &[(&Self, &SessionId)],
    ) -> Vec<Result<Loaded, SessionError>> {
        let one_store = |pair: &[(&Self, _)]| Arc::ptr_eq(&pair[0].0.store, &pair[1].0.store);
        if !looks.windows(2).all(one_store) {
            let mut each = Vec::with_capacity(looks.len());
            for (engine, id) in looks {
                each.push(engine.get_without_touch(id).await);
            }
            return each;
        }
        let Some((first, _)) = looks.first() else {
            return Vec::new();
        };
        let at = first.now_millis();
        let keys = looks.iter().map(|(engine, id)| engine.keyspace.record(id));
        let keys: Vec<_> = keys.collect();
        let commands: Vec<_> = keys.iter().map(|key| Command::Load { key }).collect();
        match first.run_all(&commands).await {
            Ok(replies) => {
                let replies = looks.iter().zip(replies);
                let found = replies.map(|((engine, _), reply)| engine.found(reply, at));
                found.collect()
            }
            Err(error) => vec![error; looks.len()]
                .into_iter()
                .map(|error| Err(error.into()))
                .collect(),
        }
    }

    fn found(&self, loaded: Reply, at: i64) -> Result<Loaded, SessionError> {
        let (record, ttl) = self
            .judge(reply::record(loaded))
            .inspect_err(|_| telemetry::miss())?;
        telemetry::hit();
        Ok(Loaded {
            record,
            remaining: Remaining::new(ttl, at),
        })
    }

    /// Whether the session still lives; its time to live is left alone.
    pub(crate) async fn is_alive(&self, id: &SessionId) -> Result<bool, SessionError> {
        let key = self.keyspace.record(id);
        let [loaded] = self.run([Command::Load { key: &key }]).await?;
        match self.judge(reply::record(loaded)) {
            Ok(_) => Ok(true),
            Err(SessionError::Rejected(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Makes a record of what the store holds, or says why that gives no session.
    pub(crate) fn judge(
        &self,
        loaded: Result<Option<Stored>, SessionError>,
    ) -> Result<(Record, Option<Duration>), SessionError> {
        let reason = match loaded {
            Err(SessionError::Corrupt) => TokenRejection::Corrupt,
            Err(error) => return Err(error),
            Ok(None) => TokenRejection::Unknown,
            Ok(Some(stored)) if stored.value.len() > self.max_size => TokenRejection::Corrupt,
            Ok(Some(Stored { value, ttl })) => match Record::parse(value) {
                Err(_) => TokenRejection::Corrupt,
                Ok(record) if self.ttl(&record).is_err() => TokenRejection::Expired,
                Ok(record) => return Ok((record, ttl)),
            },
        };
        Err(SessionError::Rejected(reason))
    }

    /// The time to live to set along with each read, if each read sets it.
    fn exact_ttl(&self, expires: Option<i64>) -> Option<Duration> {
        let idle = self.lifetime.idle().filter(|_| self.touch_every_read)?;
        limit(idle, expires, self.now_millis())
    }

    /// The time to live to set now, if the policy asks for it: [`Engine::touch_after`] has passed
    /// since the last use (with each read: any time at all), or more is left than a use gives, or
    /// the record does not expire.
    pub(crate) fn due(&self, record: &Record, remaining: Remaining) -> Option<Duration> {
        let full = self.ttl(record).ok()?;
        let Some(left) = remaining.at(self.now_millis()) else {
            return Some(full);
        };
        let idle = self.lifetime.idle()?;
        let slack = if self.touch_every_read {
            Duration::ZERO
        } else {
            self.touch_after
        };
        let longer = full + slack.min(idle / DEFAULT_SHARE);
        let due = left.is_zero() || left < full.saturating_sub(slack) || left > longer;
        due.then_some(full)
    }

    /// Sees to what the time to live that went along with a read, `set`, leaves over: the index,
    /// and an absolute end that only the record tells.
    fn complete(self: &Arc<Self>, id: &SessionId, record: &Record, set: Duration) {
        if let Ok(full) = self.ttl(record)
            && (record.meta().owner.is_some() || full < set)
        {
            self.push_back(id, record, full);
        }
    }

    /// Sets the time to live; the request does not wait for it.
    fn push_back(self: &Arc<Self>, id: &SessionId, record: &Record, ttl: Duration) {
        let (engine, id, record) = (Arc::clone(self), id.clone(), record.clone());
        in_background(async move { engine.expire(&id, &record, ttl).await });
    }
}
