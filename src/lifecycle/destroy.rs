//! Ending sessions.

use std::sync::Arc;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::Engine;
use crate::lifecycle::reply;
use crate::record::Record;
use crate::record::owner::Owner;
use crate::store::{Command, Reply};

/// How many records are read in one round trip: few, for each may be as large as the limit allows.
const BATCH: usize = 16;

impl Engine {
    /// Ends one session: the record first, then its place in the owner's index. Tells whether
    /// there was one to end.
    pub(crate) async fn destroy(
        self: Arc<Self>,
        id: SessionId,
        owner: Option<Owner>,
    ) -> Result<bool, SessionError> {
        let key = self.keyspace.record(&id);
        let delete = Command::Delete { key: &key };
        let deleted = match self.index(owner.as_ref()) {
            None => {
                let [deleted] = self.run([delete]).await?;
                deleted
            }
            Some(index) => {
                let members = [id.as_str()];
                let unlist = Command::IndexRemove {
                    index: &index,
                    members: &members,
                };
                let [deleted, _] = self.run([delete, unlist]).await?;
                deleted
            }
        };
        reply::applied(deleted)
    }

    /// Ends the session `id` whoever it belongs to, or only if it belongs to `owner`.
    pub(crate) async fn destroy_by_id(
        self: Arc<Self>,
        id: SessionId,
        owner: Option<Owner>,
    ) -> Result<bool, SessionError> {
        let key = self.keyspace.record(&id);
        let [loaded] = self.run([Command::Load { key: &key }]).await?;
        match holder(loaded)? {
            Holder::Session(holder) if owner.is_none() || holder == owner => {
                self.destroy(id, holder).await
            }
            Holder::Session(_) | Holder::Nobody => Ok(false),
            Holder::Foreign => Err(SessionError::Corrupt),
        }
    }

    /// Ends all sessions of `owner` but `keep` and tells how many there were: (1) one step marks
    /// all ids as dying, those of an earlier call that was cut short included, (2) the records
    /// are deleted, but for those that are another owner's now, (3) the ids leave the index.
    /// After a failure it may simply be called again.
    pub(crate) async fn destroy_all(
        self: Arc<Self>,
        owner: Owner,
        keep: Option<SessionId>,
    ) -> Result<usize, SessionError> {
        let index = self.keyspace.index(&owner);
        let keep = keep.as_ref().map(SessionId::as_str);
        let now = self.mark_time();
        let [marked] = self
            .run([Command::IndexMarkAll {
                index: &index,
                keep,
                now,
            }])
            .await?;
        let mut marked = reply::members(marked)?;
        // A rotation that failed has left its mark on it, or one under way has set it.
        marked.retain(|id| keep != Some(id.as_str()));
        self.finish(&owner, &index, &marked).await
    }

    /// Ends the sessions that are marked as dying.
    ///
    /// An index may still hold a session that has changed hands. It is left alone, marked: if it
    /// is about to come (back) to `owner`, that is how [`Engine::hand_over`] learns of this call.
    pub(crate) async fn finish(
        &self,
        owner: &Owner,
        index: &str,
        marked: &[String],
    ) -> Result<usize, SessionError> {
        let ids = marked.iter().filter_map(|id| SessionId::parse(id).ok());
        let ids: Vec<_> = ids.collect();
        let mut destroyed = 0;
        for ids in ids.chunks(BATCH) {
            destroyed += self.finish_batch(owner, index, ids).await?;
        }
        Ok(destroyed)
    }

    async fn finish_batch(
        &self,
        owner: &Owner,
        index: &str,
        ids: &[SessionId],
    ) -> Result<usize, SessionError> {
        let keys: Vec<_> = ids.iter().map(|id| self.keyspace.record(id)).collect();
        let loads: Vec<_> = keys.iter().map(|key| Command::Load { key }).collect();
        let (mut members, mut deletes) = (Vec::new(), Vec::new());
        for ((id, key), loaded) in ids.iter().zip(&keys).zip(self.run_all(&loads).await?) {
            match holder(loaded)? {
                Holder::Session(Some(holder)) if holder == *owner => {
                    deletes.push(Command::Delete { key });
                }
                Holder::Session(_) => continue,
                // A creation under way may be about to write it; it looks at the index afterwards.
                Holder::Nobody => deletes.push(Command::Delete { key }),
                Holder::Foreign => {}
            }
            members.push(id.as_str());
        }
        let mut destroyed = 0;
        for deleted in self.run_all(&deletes).await? {
            destroyed += usize::from(reply::applied(deleted)?);
        }
        let members = &members[..];
        self.run([Command::IndexRemove { index, members }]).await?;
        Ok(destroyed)
    }
}

/// Whose the thing is that stands under a session's name.
enum Holder {
    /// There is nothing.
    Nobody,
    /// A session, of this owner if it has one.
    Session(Option<Owner>),
    /// It is no session.
    Foreign,
}

/// Asks for the owner alone: a session that is too large or too old to be opened can be ended.
fn holder(loaded: Reply) -> Result<Holder, SessionError> {
    Ok(match reply::record(loaded) {
        Ok(None) => Holder::Nobody,
        Ok(Some(stored)) => match Record::parse(stored.value) {
            Ok(record) => Holder::Session(record.meta().owner.clone()),
            Err(_) => Holder::Foreign,
        },
        Err(SessionError::Corrupt) => Holder::Foreign,
        Err(error) => return Err(error),
    })
}
