//! Writing a session that exists.

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, back_off};
use crate::lifecycle::reply;
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
                    before = self.parse(bytes)?;
                }
                Compared::Gone => return Err(self.gone(id, &after).await),
            }
            back_off(attempt).await;
        }
        Err(SessionError::Conflict)
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
    /// it unmarked, or else a `destroy_all` that is under way may have passed it by.
    ///
    /// The old owner's index is left alone, since another handle may just be giving the session
    /// back: what it holds of other owners is neither listed nor ended, and leaves it when its
    /// score has passed.
    pub(crate) async fn hand_over(
        &self,
        id: &SessionId,
        saved: &Saved,
    ) -> Result<(), SessionError> {
        let (old, new) = (
            saved.before.meta().owner.as_ref(),
            saved.after.meta().owner.as_ref(),
        );
        let Some(index) = self.index(new).filter(|_| old != new) else {
            return Ok(());
        };
        let check = Command::IndexCheck {
            index: &index,
            member: id.as_str(),
        };
        let [listed] = self.run([check]).await?;
        if reply::applied(listed)? {
            Ok(())
        } else {
            self.list_anew(id, &index, &saved.after).await
        }
    }

    /// Lists a session whose id stands marked in its new owner's index: whoever marked it will
    /// find that it is the owner's and end it, or has found that it was not yet.
    async fn list_anew(
        &self,
        id: &SessionId,
        index: &str,
        record: &Record,
    ) -> Result<(), SessionError> {
        let (key, ttl) = (self.keyspace.record(id), self.ttl(record)?);
        for attempt in 0..ATTEMPTS {
            let check = Command::IndexCheck {
                index,
                member: id.as_str(),
            };
            let unmark = self.unmark(index, id, ttl);
            let load = Command::Load { key: &key };
            let [_, loaded, listed] = self.run([unmark, load, check]).await?;
            match self.judge(reply::record(loaded)) {
                // Whoever has given it away since sees to the other index.
                Ok((now, _)) if now.meta().owner != record.meta().owner => return Ok(()),
                Ok(_) if reply::applied(listed)? => return Ok(()),
                Ok(_) => back_off(attempt).await,
                Err(SessionError::Rejected(_)) => return Err(self.gone(id, record).await),
                Err(error) => return Err(error),
            }
        }
        Err(SessionError::Conflict)
    }
}
