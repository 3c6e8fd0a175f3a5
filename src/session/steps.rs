//! How the operations of a handle are carried out, each in its turn.

use std::sync::Arc;

use serde_json::{Map, Value};

use crate::data::SessionData;
use crate::error::SessionError;
use crate::id::SessionId;
use crate::owner::Owner;
use crate::record::{Meta, Record};
use crate::rejection::Rejection;
use crate::session::cell::{Draft, OwnerChange, Shared, Usage};
use crate::session::state::Status;
use crate::token::{Claims, Token};

impl Shared {
    pub(super) async fn create(&self, claims: Map<String, Value>) -> Result<Token, SessionError> {
        let (record, changes, owner) = {
            let cell = self.lock();
            let now = self.engine.now();
            let expires = self.engine.lifetime.expires(now);
            let meta = Meta {
                owner: None,
                created: Some(now),
                expires,
            };
            let changes = cell.data.changes().clone();
            let data = SessionData::new(None, changes.clone());
            (
                data.to_record(cell.owner.apply(&meta)?),
                changes,
                cell.owner.clone(),
            )
        };
        let created = Arc::clone(&self.engine).create(record, claims).await?;
        self.activate(&created, &changes, &owner);
        Ok(created.token)
    }

    /// Stores the changes of the data; a change of owner stays pending, so that this is one step.
    pub(super) async fn update(&self) -> Result<(), SessionError> {
        self.merge(Draft::without_owner).await
    }

    /// Stores a change of owner as well, in several steps.
    pub(super) async fn update_owner(&self) -> Result<(), SessionError> {
        self.merge(std::convert::identity).await
    }

    async fn merge(&self, part: fn(Draft) -> Draft) -> Result<(), SessionError> {
        let _turn = self.turn.lock().await;
        let merged = async {
            let draft = part(self.draft()?);
            let mut edit = |before: &Record| draft.merge(before);
            let seen = draft.record.clone();
            let saved = self.engine.save(&draft.id, seen, &mut edit).await?;
            self.engine.hand_over(&draft.id, &saved).await?;
            self.stored(saved.after, &draft);
            Ok(())
        };
        merged.await.map_err(|error| self.failed("update", error))
    }

    pub(super) async fn update_with<R: Send>(
        &self,
        mut f: impl FnMut(&mut SessionData) -> Result<R, SessionError> + Send,
    ) -> Result<R, SessionError> {
        let draft = self.draft()?;
        let mut result = None;
        let mut edit = |before: &Record| {
            let mut data = SessionData::new(Some(before.clone()), draft.changes.clone());
            result = Some(f(&mut data)?);
            Ok(data.to_record(before.meta().clone()))
        };
        let saved = self
            .engine
            .save(&draft.id, draft.record.clone(), &mut edit)
            .await?;
        self.lock().data.stored(saved.after, &draft.changes);
        result.ok_or(SessionError::Interrupted)
    }

    pub(super) async fn replace(&self, whole: &SessionData) -> Result<(), SessionError> {
        let draft = self.draft()?.without_owner();
        let mut edit = |before: &Record| Ok(whole.to_record(before.meta().clone()));
        let seen = draft.record.clone();
        let saved = self.engine.save(&draft.id, seen, &mut edit).await?;
        self.stored(saved.after, &draft);
        Ok(())
    }

    pub(super) async fn reload(&self) -> Result<(), SessionError> {
        let Draft { id, claims, .. } = self.draft()?;
        let expires = claims.and_then(|claims| claims.expires_at());
        let record = self
            .engine
            .load(&id, expires)
            .await
            .map_err(|error| match error {
                SessionError::Rejected(Rejection::Corrupt) => SessionError::Corrupt,
                SessionError::Rejected(_) => SessionError::Gone,
                error => error,
            })?;
        let mut cell = self.lock();
        cell.data = SessionData::new(Some(record), Default::default());
        cell.owner = OwnerChange::Keep;
        Ok(())
    }

    pub(super) async fn rotate(&self) -> Result<Token, SessionError> {
        let mut draft = self.draft()?;
        draft.end = self.end(&draft);
        let claims = match &draft.claims {
            Some(claims) => claims
                .custom()
                .map_err(|_| SessionError::encode("claims"))?,
            None => Map::new(),
        };
        let (id, record) = (draft.id.clone(), draft.record.clone());
        let mut edit = |before: &Record| draft.merge(before);
        let engine = Arc::clone(&self.engine);
        let created = engine.rotate(id, record, claims, &mut edit).await?;
        self.activate(&created, &draft.changes, &draft.owner);
        Ok(created.token)
    }

    /// The absolute end that a rotation must not move: what the record or the token says, or
    /// else the one that a new session would have.
    fn end(&self, draft: &Draft) -> Option<i64> {
        let token = draft.claims.as_ref().and_then(Claims::expires_at);
        let told = [self.engine.end(&draft.record), token]
            .into_iter()
            .flatten();
        told.min()
            .or_else(|| self.engine.lifetime.expires(self.engine.now()))
    }

    pub(super) async fn destroy(&self) -> Result<bool, SessionError> {
        let engine = Arc::clone(&self.engine);
        let destroyed = match self.target()? {
            Target::Gone => return Ok(false),
            Target::Seen(id, owner) => engine.destroy(id, owner).await?,
            Target::Unseen(id) => engine.destroy_by_id(id, None).await?,
        };
        self.lock().status = Status::Gone;
        Ok(destroyed)
    }

    fn target(&self) -> Result<Target, SessionError> {
        let mut cell = self.lock();
        cell.usage = Usage {
            consulted: true,
            revealed: true,
        };
        match &cell.status {
            Status::Gone => Ok(Target::Gone),
            Status::Rejected {
                reason: Rejection::Unknown,
                verified: true,
            } => Ok(Target::Gone),
            Status::Unavailable { id: Some(id), .. } => Ok(Target::Unseen(id.clone())),
            status => {
                let id = status.active()?.0.clone();
                let owner = cell
                    .data
                    .record()
                    .and_then(|record| record.meta().owner.clone());
                Ok(Target::Seen(id, owner))
            }
        }
    }
}

/// What there is to destroy.
enum Target {
    Gone,
    Seen(SessionId, Option<Owner>),
    /// The store did not answer when the request came in.
    Unseen(SessionId),
}
