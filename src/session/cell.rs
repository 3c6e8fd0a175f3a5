//! What the clones of a handle share.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::Engine;
use crate::lifecycle::create::Created;
use crate::lifecycle::lifetime::Remaining;
use crate::record::data::{Changes, SessionData};
use crate::record::owner::Owner;
use crate::record::{Meta, Record};
use crate::session::state::Status;
use crate::telemetry;
use crate::token::Claims;

/// What the clones of a handle share.
pub(crate) struct Shared {
    pub(crate) engine: Arc<Engine>,
    /// Operations of one handle run one after the other.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Never held across an await.
    cell: Mutex<Cell>,
}

pub(crate) struct Cell {
    pub(crate) status: Status,
    pub(crate) data: SessionData,
    pub(crate) owner: OwnerChange,
    pub(crate) usage: Usage,
    /// How long the record had left when this handle last saw or wrote it.
    pub(crate) remaining: Remaining,
}

/// What the request has done with its session, for the headers of the response.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    /// The session, or its absence, was looked at.
    pub(crate) consulted: bool,
    /// Session data was read, or a token issued.
    pub(crate) revealed: bool,
}

/// What `set_owner` asked for.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) enum OwnerChange {
    #[default]
    Keep,
    Clear,
    Set(Box<str>),
}

impl OwnerChange {
    /// What is ours in a record after the change.
    pub(crate) fn apply(&self, meta: &Meta) -> Result<Meta, SessionError> {
        let owner = match self {
            Self::Keep => meta.owner.clone(),
            Self::Clear => None,
            Self::Set(owner) => Some(Owner::parse(owner).ok_or(SessionError::InvalidOwner)?),
        };
        Ok(Meta {
            owner,
            ..meta.clone()
        })
    }
}

/// What an operation starts from.
pub(crate) struct Draft {
    pub(crate) id: SessionId,
    pub(crate) claims: Option<Claims>,
    pub(crate) record: Record,
    pub(crate) changes: Changes,
    pub(crate) owner: OwnerChange,
    pub(crate) remaining: Remaining,
    /// When the operation began, in Unix milliseconds.
    pub(crate) began: i64,
    /// The absolute end that the session must have after the operation, if it is not later than
    /// the one it has.
    pub(crate) end: Option<i64>,
}

/// What an operation has stored of the handle's own.
pub(crate) struct Written<'a> {
    pub(crate) changes: &'a Changes,
    pub(crate) owner: &'a OwnerChange,
    pub(crate) began: i64,
}

impl Draft {
    pub(crate) const fn written(&self) -> Written<'_> {
        Written {
            changes: &self.changes,
            owner: &self.owner,
            began: self.began,
        }
    }

    /// The same without a change of owner, which stays pending.
    pub(crate) fn without_owner(self) -> Self {
        Self {
            owner: OwnerChange::Keep,
            ..self
        }
    }

    /// The record that stands in the store, with the changes of this handle.
    pub(crate) fn merge(&self, before: &Record) -> Result<Record, SessionError> {
        let data = SessionData::new(Some(before.clone()), self.changes.clone());
        let mut meta = self.owner.apply(before.meta())?;
        meta.expires = [meta.expires, self.end].into_iter().flatten().min();
        Ok(data.to_record(meta))
    }
}

impl Shared {
    pub(crate) fn new(engine: Arc<Engine>, status: Status, data: SessionData) -> Self {
        let cell = Cell {
            status,
            data,
            owner: OwnerChange::default(),
            usage: Usage::default(),
            remaining: Remaining::new(None, 0),
        };
        Self {
            engine,
            turn: tokio::sync::Mutex::const_new(()),
            cell: Mutex::new(cell),
        }
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Cell> {
        self.cell.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What an operation on the active session starts from.
    pub(crate) fn draft(&self) -> Result<Draft, SessionError> {
        let began = self.engine.now_millis();
        let mut cell = self.lock();
        cell.usage.consulted = true;
        let (id, claims) = cell.status.active()?;
        Ok(Draft {
            id: id.clone(),
            claims: claims.cloned(),
            record: cell.data.record().cloned().ok_or(SessionError::Gone)?,
            changes: cell.data.changes().clone(),
            owner: cell.owner.clone(),
            remaining: cell.remaining,
            began,
            end: None,
        })
    }

    /// Takes over a session that has come into being, under a new id.
    pub(crate) fn activate(&self, created: &Created, written: &Written<'_>) {
        let now = self.engine.clock.now();
        let identified = self
            .engine
            .format
            .identify(created.token.as_str(), now, false);
        let claims = identified
            .ok()
            .and_then(|identified| identified.into_parts().1);
        let mut cell = self.lock();
        cell.status = Status::Active {
            id: created.id.clone(),
            claims,
        };
        cell.usage.revealed = true;
        cell.remaining = self.engine.fresh(&created.record, written.began);
        cell.stored(created.record.clone(), written);
    }

    /// Takes over what is stored now, for the max age from when the operation began.
    pub(crate) fn stored(&self, record: Record, draft: &Draft) {
        let remaining = self.engine.fresh(&record, draft.began);
        let mut cell = self.lock();
        cell.remaining = remaining;
        cell.stored(record, &draft.written());
    }

    /// Notes that an operation failed, and that the session is gone if that is why.
    pub(crate) fn failed(&self, operation: &'static str, error: SessionError) -> SessionError {
        match &error {
            SessionError::Gone => {
                self.lock().status = Status::Gone;
                telemetry::gone(operation);
            }
            SessionError::Conflict => telemetry::conflict(operation),
            _ => {}
        }
        error
    }
}

impl Cell {
    fn stored(&mut self, record: Record, written: &Written<'_>) {
        self.data.stored(record, written.changes);
        if self.owner == *written.owner {
            self.owner = OwnerChange::Keep;
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = self.lock();
        let mut debug = f.debug_struct("Session");
        debug.field("state", &cell.status.state());
        if let Ok((id, _)) = cell.status.active() {
            debug.field("id", id);
        }
        debug.field("data", &cell.data).finish()
    }
}
