//! The owner of the session of a handle, and the owner's other sessions.

use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::tasks::run_to_completion;
use crate::record::owner::Owner;
use crate::session::entry::SessionEntry;
use crate::session::handle::Session;
use crate::session::inner::Inner;
use crate::session::snapshot::OwnerChange;
use crate::session::state::SessionState;

impl Session {
    /// Returns the owner: the one set on this handle, or else the one that is stored.
    #[must_use]
    pub fn owner(&self) -> Option<String> {
        let state = self.data_read();
        let owner = match &state.owner {
            OwnerChange::Set(owner) => Some(owner),
            OwnerChange::Clear => None,
            OwnerChange::Keep | OwnerChange::Invalid => state.data.record()?.owner(),
        };
        owner.map(|owner| owner.as_str().to_owned())
    }

    /// Sets the owner: 1 to 512 bytes, for example the id of a user.
    ///
    /// Takes effect with the next [`create`](Self::create), [`update`](Self::update) or
    /// [`rotate`](Self::rotate). For a login use [`login`](Self::login).
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidOwner`]. If it is ignored, the next operation that stores the owner
    /// fails with it, so that no session is stored without its owner.
    pub fn set_owner(&self, owner: impl AsRef<str>) -> Result<(), SessionError> {
        let owner = Owner::parse(owner.as_ref());
        let result = owner.as_ref().map(drop).map_err(Clone::clone);
        self.change().owner = owner.map_or(OwnerChange::Invalid, OwnerChange::Set);
        result
    }

    /// Removes the owner; takes effect as [`set_owner`](Self::set_owner).
    pub fn clear_owner(&self) {
        self.change().owner = OwnerChange::Clear;
    }

    /// Lists every session of the owner of this session, oldest first.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoOwner`], [`SessionError::Unavailable`]; without a session
    /// [`SessionError::Absent`], [`SessionError::Rejected`] or [`SessionError::Gone`].
    pub async fn list(&self) -> Result<Vec<SessionEntry>, SessionError> {
        let (_, owner) = self.0.owned()?;
        // The list has data of sessions: the response must not be cached.
        drop(self.data_read());
        SessionEntry::list(&self.0.lifecycle, owner).await
    }

    /// Ends every session of the owner of this session except this one, and returns how many there
    /// were.
    ///
    /// Runs to completion even if the caller is dropped; after a failure it can be repeated.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn destroy_others(&self) -> Result<usize, SessionError> {
        let (id, owner) = self.0.owned()?;
        let lifecycle = Arc::clone(&self.0.lifecycle);
        run_to_completion(lifecycle.destroy_all(owner, Some(id))).await
    }

    /// Ends every session of the owner of this session, this one included, and returns how many
    /// there were.
    ///
    /// After `Ok`, no session that was acknowledged before the call still works. Runs to completion
    /// even if the caller is dropped. After a failure, the call can be repeated.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn destroy_all(&self) -> Result<usize, SessionError> {
        let destroy_all = async |inner: Arc<Inner>| {
            let (_, owner) = inner.owned()?;
            let lifecycle = Arc::clone(&inner.lifecycle);
            let destroyed = lifecycle.destroy_all(owner, None).await?;
            inner.lock().session = SessionState::Gone;
            Ok(destroyed)
        };
        self.complete("destroy_all", destroy_all).await
    }
}

impl Inner {
    /// Returns the id and the stored owner of the active session.
    fn owned(&self) -> Result<(SessionId, Owner)> {
        let current = self.current()?;
        let owner = current.record.owner().cloned();
        Ok((current.id, owner.ok_or(SessionError::NoOwner)?))
    }
}
