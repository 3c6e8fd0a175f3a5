//! How the operations of a handle are carried out, each in its turn.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::load::Loaded;
use crate::record::data::{Changes, SessionData};
use crate::record::owner::Owner;
use crate::record::{Meta, Record};
use crate::session::cell::{Draft, OwnerChange, Shared, Usage, Written};
use crate::session::state::Status;
use crate::token::{Claims, Token};
use crate::token_rejection::TokenRejection;

impl Shared {
    pub(super) async fn create(&self, claims: Map<String, Value>) -> Result<Token, SessionError> {
        let new = self.new_session()?;
        let engine = Arc::clone(&self.engine);
        let created = engine.create(new.record.clone(), claims).await?;
        self.activate(&created, &new.written());
        Ok(created.token)
    }

    pub(super) async fn create_as(
        &self,
        id: SessionId,
        claims: Map<String, Value>,
    ) -> Result<Token, SessionError> {
        let new = self.new_session()?;
        let engine = Arc::clone(&self.engine);
        let created = engine.create_as(id, new.record.clone(), claims).await?;
        self.activate(&created, &new.written());
        Ok(created.token)
    }

    /// What was set on this handle, as the record of a session that begins now.
    fn new_session(&self) -> Result<New, SessionError> {
        let began = self.engine.now_millis();
        let now = began.div_euclid(1000);
        let meta = Meta {
            owner: None,
            created: Some(now),
            expires: self.engine.lifetime.expires(now),
        };
        let cell = self.lock();
        let changes = cell.data.changes().clone();
        let data = SessionData::new(None, changes.clone());
        Ok(New {
            record: data.to_record(cell.owner.apply(&meta)?),
            changes,
            owner: cell.owner.clone(),
            began,
        })
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
            self.engine.transfer_owner(&draft.id, &saved).await?;
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
        self.stored(saved.after, &draft.without_owner());
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
        let Loaded { record, remaining } =
            self.engine
                .load(&id, expires)
                .await
                .map_err(|error| match error {
                    SessionError::Rejected(TokenRejection::Corrupt) => SessionError::Corrupt,
                    SessionError::Rejected(_) => SessionError::Gone,
                    error => error,
                })?;
        let mut cell = self.lock();
        cell.data = SessionData::new(Some(record), Default::default());
        cell.owner = OwnerChange::Keep;
        cell.remaining = remaining;
        Ok(())
    }

    pub(super) async fn touch(&self, ttl: Option<Duration>) -> Result<(), SessionError> {
        let Draft { id, record, .. } = self.draft()?;
        let remaining = self.engine.touch(&id, &record, ttl).await?;
        self.lock().remaining = remaining;
        Ok(())
    }

    pub(super) async fn keep_alive(&self) -> Result<Duration, SessionError> {
        let Draft {
            id,
            record,
            remaining,
            ..
        } = self.draft()?;
        let remaining = self.engine.keep_alive(&id, &record, remaining).await?;
        self.lock().remaining = remaining;
        remaining
            .at(self.engine.now_millis())
            .ok_or(SessionError::Gone)
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
        self.activate(&created, &draft.written());
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
                reason: TokenRejection::Unknown,
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

/// A session that is about to be created.
struct New {
    record: Record,
    changes: Changes,
    owner: OwnerChange,
    began: i64,
}

impl New {
    const fn written(&self) -> Written<'_> {
        Written {
            changes: &self.changes,
            owner: &self.owner,
            began: self.began,
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
