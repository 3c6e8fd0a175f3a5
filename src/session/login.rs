//! Logging in and out.

use std::sync::Arc;

use serde_json::Map;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::record::owner::Owner;
use crate::session::handle::Session;
use crate::session::inner::{Inner, OwnerChange};
use crate::session::state::Status;
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// What a login begins with.
enum Before {
    /// No session that could go on.
    Nothing,
    /// A stored record that is no session any more, under a valid token.
    Remains(SessionId),
    Session,
}

impl Session {
    /// Logs `owner` in, and returns the token of the session.
    ///
    /// The session always gets a new id and belongs to `owner` afterwards. A token that was known
    /// before the login, for example one that an attacker has planted, never works after it.
    ///
    /// | the request has | `login` |
    /// |---|---|
    /// | no session | creates one |
    /// | a session without owner | keeps its data under a new id, as [`rotate`](Self::rotate) |
    /// | a session of `owner` | the same |
    /// | a session of another owner | destroys it and creates an empty one |
    ///
    /// What was set on this handle is stored with it in every case; what was loaded is never
    /// copied to another owner's session.
    ///
    /// Runs to completion even if the caller is dropped. Call it after the credentials were
    /// checked, instead of [`set_owner`](Self::set_owner) and [`create`](Self::create).
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let guest = sessions.new_session();
    /// guest.insert("cart", ["apple"])?;
    /// let before = guest.create().await?;
    ///
    /// let session = sessions.open(before.as_str()).await?;
    /// let token = session.login("jo").await?;
    /// assert!(session.contains_key("cart"));
    /// assert!(sessions.open(before.as_str()).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidOwner`], [`SessionError::NoTokens`] before anything is changed.
    /// [`SessionError::Unavailable`] also if the session of the request could not be loaded.
    ///
    /// [`SessionError::Gone`] if the session ended during the login, for example because a
    /// concurrent login with the same token has won. The data is with the other login then. A
    /// second call on this handle creates a new session.
    ///
    /// Otherwise as [`rotate`](Self::rotate) and [`create`](Self::create).
    pub async fn login(&self, owner: impl AsRef<str>) -> Result<Token, SessionError> {
        let owner = Owner::parse(owner.as_ref()).ok_or(SessionError::InvalidOwner)?;
        self.complete("login", |inner| inner.login(owner)).await
    }

    /// Ends the session: the same as [`destroy`](Self::destroy).
    ///
    /// # Errors
    ///
    /// As [`destroy`](Self::destroy).
    pub async fn logout(&self) -> Result<bool, SessionError> {
        self.destroy().await
    }
}

impl Inner {
    async fn login(self: Arc<Self>, owner: Owner) -> Result<Token, SessionError> {
        self.lifecycle.format()?;
        match self.before_login()? {
            Before::Nothing => {}
            Before::Remains(id) => {
                let lifecycle = Arc::clone(&self.lifecycle);
                lifecycle.destroy_by_id(id, None).await?;
            }
            Before::Session => {
                if let Some(token) = self.rotate_to(&owner).await? {
                    return Ok(token);
                }
            }
        }
        self.lock().owner = OwnerChange::Set(owner);
        let created = self.create(None, Some(Map::new())).await?;
        created.token.ok_or(SessionError::NoTokens)
    }

    fn before_login(&self) -> Result<Before, SessionError> {
        let mut state = self.lock();
        state.usage.consulted = true;
        Ok(match &state.status {
            Status::Active { .. } => Before::Session,
            Status::Unavailable { error, .. } => return Err(error.clone().into()),
            Status::Rejected {
                reason,
                id: Some(id),
            } if *reason != TokenRejection::Unknown => Before::Remains(id.clone()),
            Status::Rejected { .. } | Status::Absent | Status::Gone => Before::Nothing,
        })
    }

    /// Rotates the session to `owner`. Returns `None` if it belonged to another owner, and is
    /// destroyed now.
    async fn rotate_to(self: &Arc<Self>, owner: &Owner) -> Result<Option<Token>, SessionError> {
        let (current, mut pending) = self.current_and_pending()?;
        pending.owner = OwnerChange::Set(owner.clone());
        let mut other = None;
        // Checked on the record that is stored at the moment of the rotation: another request may
        // have changed the owner since this handle has read it.
        let rotated = self
            .rotate_with(&current, &mut pending, |before| {
                other = before.meta().owner.clone().filter(|found| found != owner);
                other.is_none()
            })
            .await;
        let Some(other) = other else {
            // A `set_owner` before the login is obsolete.
            let created = rotated?;
            self.lock().owner = OwnerChange::Keep;
            return Ok(created.token);
        };
        let lifecycle = Arc::clone(&self.lifecycle);
        lifecycle.destroy(current.id, Some(other)).await?;
        self.lock().status = Status::Gone;
        Ok(None)
    }
}
