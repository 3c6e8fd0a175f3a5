//! Ending sessions.

use std::sync::Arc;

use crate::engine::core::Engine;
use crate::engine::reply;
use crate::error::SessionError;
use crate::id::SessionId;
use crate::owner::Owner;
use crate::store::Command;

/// How many records are deleted in one round trip.
const BATCH: usize = 256;

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
        match self.judge(reply::record(loaded)) {
            Ok((record, _)) if owner.is_none() || record.meta().owner == owner => {
                let owner = record.meta().owner.clone();
                self.destroy(id, owner).await
            }
            Ok(_) | Err(SessionError::Rejected(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Ends all sessions of `owner` but `keep` and tells how many there were: (1) one step marks
    /// all ids as dying, those of an earlier call that was cut short included, (2) the records
    /// are deleted, (3) the ids leave the index. After a failure it may simply be called again.
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
        self.finish(&index, &reply::members(marked)?).await
    }

    /// Ends the sessions that are marked as dying.
    pub(crate) async fn finish(
        &self,
        index: &str,
        marked: &[String],
    ) -> Result<usize, SessionError> {
        let mut destroyed = 0;
        for members in marked.chunks(BATCH) {
            let keys: Vec<_> = members
                .iter()
                .filter_map(|id| Some(self.keyspace.record(&SessionId::parse(id).ok()?)))
                .collect();
            let commands: Vec<_> = keys.iter().map(|key| Command::Delete { key }).collect();
            for deleted in self.run_all(&commands).await? {
                destroyed += usize::from(reply::applied(deleted)?);
            }
        }
        for members in marked.chunks(BATCH) {
            let members: Vec<_> = members.iter().map(String::as_str).collect();
            self.run([Command::IndexRemove {
                index,
                members: &members,
            }])
            .await?;
        }
        Ok(destroyed)
    }
}
