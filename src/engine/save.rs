//! Writing a session that exists.

use crate::engine::core::{Engine, back_off};
use crate::engine::reply;
use crate::error::SessionError;
use crate::id::SessionId;
use crate::record::Record;
use crate::store::{Command, Compared};

/// How often a write that loses a race is tried.
const ATTEMPTS: u32 = 16;

/// Makes the record to write from the one that stands in the store; may be asked again.
pub(crate) type Edit<'a> = &'a mut (dyn FnMut(&Record) -> Result<Record, SessionError> + Send);

/// A write that was carried out.
pub(crate) struct Saved {
    /// What it replaced.
    pub(crate) before: Record,
    /// What stands there now.
    pub(crate) after: Record,
}

impl Engine {
    /// Replaces the record of `id` by what `edit` makes of it, atomically: nothing that others
    /// wrote is lost, and a session that is gone stays gone.
    ///
    /// `seen` is the record as it was last seen; if it still stands there, this is one round
    /// trip. Each try is one step, so the caller may be dropped at any time.
    pub(crate) async fn save(
        &self,
        id: &SessionId,
        seen: Record,
        edit: Edit<'_>,
    ) -> Result<Saved, SessionError> {
        let mut before = seen;
        for attempt in 0..ATTEMPTS {
            let after = edit(&before)?;
            match self.compare_and_set(id, &before, &after).await? {
                Compared::Equal => return Ok(Saved { before, after }),
                Compared::Different(bytes) => {
                    before = Record::parse(bytes).map_err(|_| SessionError::Corrupt)?;
                }
                Compared::Gone => return Err(self.gone(id, &after).await),
            }
            back_off(attempt).await;
        }
        Err(SessionError::Conflict)
    }

    /// As [`Engine::save`], but the last of many racing writers wins in the end.
    pub(crate) async fn overwrite(
        &self,
        id: &SessionId,
        seen: Record,
        edit: Edit<'_>,
    ) -> Result<Saved, SessionError> {
        match self.save(id, seen.clone(), edit).await {
            Err(SessionError::Conflict) => {}
            outcome => return outcome,
        }
        let after = edit(&seen)?;
        let (key, ttl) = (self.keyspace.record(id), self.ttl(&after)?);
        let [reply] = self
            .run([Command::Replace {
                key: &key,
                value: after.bytes(),
                ttl,
            }])
            .await?;
        if reply::applied(reply)? {
            Ok(Saved {
                before: seen,
                after,
            })
        } else {
            Err(self.gone(id, &after).await)
        }
    }

    async fn compare_and_set(
        &self,
        id: &SessionId,
        before: &Record,
        after: &Record,
    ) -> Result<Compared, SessionError> {
        self.check_size(after)?;
        let (key, ttl) = (self.keyspace.record(id), self.ttl(after)?);
        let (expected, value) = (before.bytes(), after.bytes());
        let write = Command::CompareAndSet {
            key: &key,
            expected,
            value,
            ttl,
        };
        let reply = match self.index(after.meta().owner.as_ref()) {
            None => {
                let [reply] = self.run([write]).await?;
                reply
            }
            Some(index) => {
                let [_, reply] = self.run([self.put(&index, id, ttl), write]).await?;
                reply
            }
        };
        reply::compared(reply)
    }

    /// Finishes a write that gave the session to another owner: the new owner's index must hold
    /// it unmarked, or else a concurrent `destroy_all` has missed the record, which goes then;
    /// the old owner's index forgets it.
    pub(crate) async fn hand_over(
        &self,
        id: &SessionId,
        saved: &Saved,
    ) -> Result<(), SessionError> {
        let (old, new) = (
            saved.before.meta().owner.as_ref(),
            saved.after.meta().owner.as_ref(),
        );
        if old == new {
            return Ok(());
        }
        if let Some(index) = self.index(new) {
            let check = Command::IndexCheck {
                index: &index,
                member: id.as_str(),
            };
            let [listed] = self.run([check]).await?;
            if !reply::applied(listed)? {
                self.take_back(id, saved).await?;
            }
        }
        if let Some(index) = self.index(old) {
            let members = [id.as_str()];
            self.run([Command::IndexRemove {
                index: &index,
                members: &members,
            }])
            .await?;
        }
        Ok(())
    }

    /// Deletes the record just written, unless somebody has written another since.
    async fn take_back(&self, id: &SessionId, saved: &Saved) -> Result<(), SessionError> {
        let key = self.keyspace.record(id);
        let expected = saved.after.bytes();
        let [reply] = self
            .run([Command::CompareAndDelete {
                key: &key,
                expected,
            }])
            .await?;
        match reply::compared(reply)? {
            Compared::Different(_) => Ok(()),
            Compared::Equal | Compared::Gone => Err(self.gone(id, &saved.after).await),
        }
    }
}
