//! The sessions of the owner of a session.

use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::run_to_completion;
use crate::record::Owner;
use crate::session::handle::Session;
use crate::session::inner::Inner;
use crate::session::list::ListSessions;

/// # Devices: the sessions of the owner
impl Session {
    /// Lists the sessions of the owner of this session, as
    /// [`Sessions::list`](crate::Sessions::list).
    ///
    /// [`SessionEntry::is_current`](crate::SessionEntry::is_current) shows which one is this
    /// session.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoOwner`] if the session has no owner. [`SessionError::Unavailable`] if the
    /// store did not answer; repeat the call. Without a session [`SessionError::Absent`],
    /// [`SessionError::Rejected`] or [`SessionError::Gone`].
    pub fn list(&self) -> ListSessions {
        let (id, owner) = match self.0.owned() {
            Ok((id, owner)) => (Some(id), Ok(owner)),
            Err(error) => (None, Err(error)),
        };
        if owner.is_ok() {
            // The list contains session data, so the response must not be cached.
            drop(self.data_read());
        }
        ListSessions::new(&self.0.lifecycle, owner, id)
    }

    /// Returns the sessions of the owner that the last successful operation of this handle has
    /// ended because of [`max_sessions`](crate::config::SessionsBuilder::max_sessions).
    ///
    /// These operations can end sessions: `create`, `login`, `rotate` and `update`.
    #[must_use]
    pub fn evicted(&self) -> Vec<SessionId> {
        self.state_read().evicted.clone()
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
        run_to_completion(|| lifecycle.destroy_all(owner, Some(id))).await
    }

    /// Ends every session of the owner of this session, this one included, and returns how many
    /// there were.
    ///
    /// Runs to completion even if the caller is dropped; see
    /// [`Sessions::destroy_all`](crate::Sessions::destroy_all) for what it guarantees.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn destroy_all(&self) -> Result<usize, SessionError> {
        let inner = Arc::clone(&self.0);
        let destroy_all = async move || {
            let (_, owner) = inner.owned()?;
            let lifecycle = Arc::clone(&inner.lifecycle);
            let destroyed = lifecycle.destroy_all(owner, None).await?;
            inner.lock().end();
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
