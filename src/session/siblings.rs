//! What a handle does with all sessions of its owner.

use std::sync::Arc;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::to_its_end;
use crate::record::owner::Owner;
use crate::session::cell::Shared;
use crate::session::entry::SessionEntry;
use crate::session::handle::Session;
use crate::session::state::Status;

impl Session {
    /// Lists every live session of this session's owner.
    ///
    /// # Errors
    ///
    /// [`SessionError::NoOwner`], [`SessionError::Unavailable`]; without a session
    /// [`SessionError::Absent`], [`SessionError::Rejected`] or [`SessionError::Gone`].
    pub async fn list(&self) -> Result<Vec<SessionEntry>, SessionError> {
        let (_, owner) = self.0.owned()?;
        self.0.lock().usage.revealed = true;
        SessionEntry::list(&self.0.engine, owner).await
    }

    /// Ends every session of this session's owner but this one, and returns how many there were.
    /// Runs to its end even if the caller is dropped; after a failure it may be repeated.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn destroy_others(&self) -> Result<usize, SessionError> {
        let (id, owner) = self.0.owned()?;
        let engine = Arc::clone(&self.0.engine);
        to_its_end(engine.destroy_all(owner, Some(id))).await
    }

    /// Ends every session of this session's owner, this one included, and returns how many there
    /// were: after `Ok` none that was acknowledged before the call works. Runs to its end even if
    /// the caller is dropped; after a failure it may be repeated.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn destroy_all(&self) -> Result<usize, SessionError> {
        let shared = Arc::clone(&self.0);
        to_its_end(async move {
            let _turn = shared.turn.lock().await;
            let (_, owner) = shared.owned()?;
            let destroyed = Arc::clone(&shared.engine).destroy_all(owner, None).await?;
            shared.lock().status = Status::Gone;
            Ok(destroyed)
        })
        .await
    }
}

impl Shared {
    /// The id and the stored owner of the active session.
    fn owned(&self) -> Result<(SessionId, Owner), SessionError> {
        let draft = self.draft()?;
        let owner = draft
            .record
            .meta()
            .owner
            .clone()
            .ok_or(SessionError::NoOwner)?;
        Ok((draft.id, owner))
    }
}
