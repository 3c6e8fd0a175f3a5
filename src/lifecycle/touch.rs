//! Pushing a session's end back.

use std::time::Duration;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::Engine;
use crate::lifecycle::lifetime::{Remaining, is_storable, limit};
use crate::lifecycle::reply;
use crate::record::Record;
use crate::store::Command;

impl Engine {
    /// Lets the session live for `ttl` from now, or for the max age, but not beyond its absolute
    /// lifetime, and tells what it has left then.
    pub(crate) async fn touch(
        &self,
        id: &SessionId,
        record: &Record,
        ttl: Option<Duration>,
    ) -> Result<Remaining, SessionError> {
        let at = self.now_millis();
        let ttl = match ttl {
            None => self.ttl(record)?,
            Some(ttl) if !is_storable(ttl) => return Err(SessionError::InvalidDuration),
            Some(ttl) => limit(ttl, self.end(record), at).ok_or(SessionError::Gone)?,
        };
        self.expire(id, record, ttl).await?;
        Ok(Remaining::new(Some(ttl), at))
    }

    /// Pushes the time to live back if that is due, as [`Engine::load`] does, but waits for it;
    /// tells what the session has left then.
    pub(crate) async fn keep_alive(
        &self,
        id: &SessionId,
        record: &Record,
        remaining: Remaining,
    ) -> Result<Remaining, SessionError> {
        if self.due(record, remaining).is_some() {
            return self.touch(id, record, None).await;
        }
        let now = self.now_millis();
        let left = remaining.at(now).ok_or(SessionError::Gone)?;
        let left = limit(left, self.end(record), now).ok_or(SessionError::Gone)?;
        Ok(Remaining::new(Some(left), now))
    }

    /// Sets the time to live. The index comes first, so that it never ends before its record.
    pub(crate) async fn expire(
        &self,
        id: &SessionId,
        record: &Record,
        ttl: Duration,
    ) -> Result<(), SessionError> {
        let key = self.keyspace.record(id);
        let expire = Command::Expire { key: &key, ttl };
        let reply = match self.index(record.meta().owner.as_ref()) {
            None => {
                let [reply] = self.run([expire]).await?;
                reply
            }
            Some(index) => {
                let [_, reply] = self.run([self.put(&index, id, ttl), expire]).await?;
                reply
            }
        };
        if reply::applied(reply)? {
            Ok(())
        } else {
            Err(self.gone(id, record).await)
        }
    }

    /// Takes a session that turned out to be gone off its owner's list, as well as can be.
    pub(crate) async fn gone(&self, id: &SessionId, record: &Record) -> SessionError {
        if let Some(index) = self.index(record.meta().owner.as_ref()) {
            let members = [id.as_str()];
            let _ = self
                .run([Command::IndexRemove {
                    index: &index,
                    members: &members,
                }])
                .await;
        }
        SessionError::Gone
    }
}
