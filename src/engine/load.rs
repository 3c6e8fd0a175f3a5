//! Reading a session.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::core::{Engine, in_background};
use crate::engine::lifetime::limit;
use crate::engine::reply;
use crate::error::SessionError;
use crate::id::SessionId;
use crate::record::Record;
use crate::rejection::Rejection;
use crate::store::{Command, Stored};
use crate::telemetry;

impl Engine {
    /// Reads the record of `id` and pushes its time to live back if that is due.
    ///
    /// `expires` is the absolute end as far as the token tells it.
    pub(crate) async fn load(
        self: &Arc<Self>,
        id: &SessionId,
        expires: Option<i64>,
    ) -> Result<Record, SessionError> {
        let key = self.keyspace.record(id);
        let loaded = match self.exact_ttl(expires) {
            Some(ttl) => {
                let commands = [
                    Command::Load { key: &key },
                    Command::Expire { key: &key, ttl },
                ];
                let [loaded, _] = self.run(commands).await?;
                loaded
            }
            None => {
                let [loaded] = self.run([Command::Load { key: &key }]).await?;
                loaded
            }
        };
        let (record, ttl) = self
            .judge(reply::record(loaded))
            .inspect_err(|_| telemetry::miss())?;
        self.keep_alive(id, &record, ttl);
        telemetry::hit();
        Ok(record)
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
            Err(SessionError::Corrupt) => Rejection::Corrupt,
            Err(error) => return Err(error),
            Ok(None) => Rejection::Unknown,
            Ok(Some(stored)) if stored.value.len() > self.max_size => Rejection::Corrupt,
            Ok(Some(Stored { value, ttl })) => match Record::parse(value) {
                Err(_) => Rejection::Corrupt,
                Ok(record) if self.ttl(&record).is_err() => Rejection::Expired,
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

    /// Sets the time to live anew once 1/16 of the max age has passed since the last use, or if
    /// it is longer than a use gives; if each read does so anyway, sees to the index, and to an
    /// absolute end that only the record tells. The request does not wait for it.
    fn keep_alive(self: &Arc<Self>, id: &SessionId, record: &Record, left: Option<Duration>) {
        let (Some(idle), Ok(full)) = (self.lifetime.idle(), self.ttl(record)) else {
            return;
        };
        let due = if self.touch_every_read {
            record.meta().owner.is_some() || full < idle
        } else {
            let slack = idle / 16;
            left.is_none_or(|left| left < full.saturating_sub(slack) || left > full + slack)
        };
        if due {
            let (engine, id, record) = (Arc::clone(self), id.clone(), record.clone());
            in_background(async move { engine.expire(&id, &record, full).await });
        }
    }
}
