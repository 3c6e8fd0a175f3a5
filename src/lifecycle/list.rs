//! Listing the sessions of an owner.

use std::sync::Arc;
use std::time::Duration;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, to_its_end};
use crate::lifecycle::reply;
use crate::record::Record;
use crate::record::owner::Owner;
use crate::store::{Command, IndexEntry, Standing};

/// How many records are read in one round trip: few, for each may be as large as the limit allows.
const BATCH: usize = 16;

/// How long after its mark a dying session is surely not waiting for a rotation or a
/// `destroy_all` that is still under way, in seconds.
const ABANDONED: i64 = 60;

/// A session as its owner's list shows it.
pub(crate) struct Listed {
    pub(crate) id: SessionId,
    pub(crate) record: Record,
    /// The remaining time to live; `None` if the record does not expire.
    pub(crate) ttl: Option<Duration>,
}

impl Engine {
    /// Reads every live session of `owner`, finishes what a `destroy_all` or a rotation that was
    /// cut short has left behind, and forgets what has ended.
    pub(crate) async fn list(self: &Arc<Self>, owner: Owner) -> Result<Vec<Listed>, SessionError> {
        let index = self.keyspace.index(&owner);
        let [entries] = self.run([Command::IndexEntries { index: &index }]).await?;
        let (dying, entries): (Vec<_>, Vec<_>) = reply::entries(entries)?
            .into_iter()
            .partition(|entry| self.is_abandoned(entry));
        if !dying.is_empty() {
            let (engine, owner, index) = (Arc::clone(self), owner.clone(), index.clone());
            let ids: Vec<_> = dying.into_iter().map(|entry| entry.member).collect();
            to_its_end(async move { engine.finish(&owner, &index, &ids).await }).await?;
        }
        let mut listed = Vec::with_capacity(entries.len());
        for entries in entries.chunks(BATCH) {
            self.list_batch(&index, &owner, entries, &mut listed)
                .await?;
        }
        Ok(listed)
    }

    pub(crate) fn is_abandoned(&self, entry: &IndexEntry) -> bool {
        match entry.standing {
            Standing::Dying { since } => self.now().saturating_sub(since) >= ABANDONED,
            Standing::Live { .. } => false,
        }
    }

    async fn list_batch(
        &self,
        index: &str,
        owner: &Owner,
        entries: &[IndexEntry],
        listed: &mut Vec<Listed>,
    ) -> Result<(), SessionError> {
        let entries: Vec<_> = entries
            .iter()
            .filter_map(|entry| Some((SessionId::parse(&entry.member).ok()?, entry.standing)))
            .collect();
        let keys: Vec<_> = entries
            .iter()
            .map(|(id, _)| self.keyspace.record(id))
            .collect();
        let loads: Vec<_> = keys.iter().map(|key| Command::Load { key }).collect();
        let score = self.now();
        let mut dead = Vec::new();
        let mut living = Vec::new();
        for ((id, standing), loaded) in entries.iter().zip(self.run_all(&loads).await?) {
            match self.judge(reply::record(loaded)) {
                Ok((record, ttl)) if record.meta().owner.as_ref() == Some(owner) => {
                    living.extend(
                        self.is_due(*standing)
                            .then(|| (id, ttl.unwrap_or_default())),
                    );
                    listed.push(Listed {
                        id: id.clone(),
                        record,
                        ttl,
                    });
                }
                Ok(_) | Err(SessionError::Rejected(_)) => {
                    dead.extend(self.is_due(*standing).then_some(id.as_str()));
                }
                Err(error) => return Err(error),
            }
        }
        self.tidy(index, &dead, &living, score).await
    }

    /// Whether the time before which the record need not be checked has passed. A record that is
    /// absent before that, or another owner's, may be one that is just being written.
    fn is_due(&self, standing: Standing) -> bool {
        matches!(standing, Standing::Live { score } if score < self.now())
    }

    async fn tidy(
        &self,
        index: &str,
        dead: &[&str],
        living: &[(&SessionId, Duration)],
        score: i64,
    ) -> Result<(), SessionError> {
        let mut commands: Vec<_> = living
            .iter()
            .map(|(id, ttl)| self.put(index, id, *ttl))
            .collect();
        if !dead.is_empty() {
            commands.push(Command::IndexPrune {
                index,
                members: dead,
                score,
            });
        }
        if !commands.is_empty() {
            self.run_all(&commands).await?;
        }
        Ok(())
    }
}
