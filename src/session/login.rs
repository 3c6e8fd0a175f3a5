//! Logging in and out.

use std::sync::Arc;

use crate::error::{Result, SessionError};
use crate::lifecycle::rotate::Rotation;
use crate::record::Record;
use crate::record::owner::Owner;
use crate::session::handle::Session;
use crate::session::inner::Inner;
use crate::session::snapshot::OwnerChange;
use crate::session::state::SessionState;
use crate::token::Token;
use crate::token_rejection::TokenRejection;

impl Session {
    /// Logs `owner` in and returns the token of the session.
    ///
    /// The session always gets a new id and belongs to `owner` afterwards. A token from before the
    /// login, for example one that an attacker has planted, never works after it.
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
    /// Otherwise as [`rotate`](Self::rotate) and [`create`](Self::create). After
    /// [`SessionError::Unavailable`] the session before the login may be gone, and its data with
    /// it; no session is revived.
    pub async fn login(&self, owner: impl AsRef<str>) -> Result<Token, SessionError> {
        let owner = Owner::parse(owner.as_ref())?;
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
    async fn login(self: Arc<Self>, owner: Owner) -> Result<Token> {
        // Before anything is changed: without tokens the new session could not be used.
        self.lifecycle.format()?;
        let current = match self.current() {
            Ok(current) => Some(current),
            Err(error @ SessionError::Unavailable(_)) => return Err(error),
            Err(_) => {
                self.destroy_remains().await?;
                None
            }
        };
        let mut pending = self.pending();
        pending.owner = OwnerChange::Set(owner.clone());
        let new = pending.new_record(&self.lifecycle)?;
        pending.end = current.as_ref().and_then(|now| now.end(&self.lifecycle));
        let merge = |before: &Record| pending.merge(before);
        let rotation = match current {
            Some(now) => {
                let claims = now.custom_claims()?;
                Some(Rotation::new(now.id, now.record, claims, &merge))
            }
            None => None,
        };
        let logging_in = Arc::clone(&self.lifecycle).login(&owner, new, rotation);
        let created = self.activate(logging_in.await?, &pending);
        // A `set_owner` before the login is obsolete.
        self.lock().owner = OwnerChange::Keep;
        created.token.ok_or(SessionError::NoTokens)
    }

    /// Destroys the record of a valid token that gives no session because it is corrupt or past
    /// its absolute end.
    async fn destroy_remains(&self) -> Result<()> {
        let id = {
            let state = self.lock();
            let remains = matches!(
                state.session,
                SessionState::Rejected(reason) if reason != TokenRejection::Unknown
            );
            state.id.clone().filter(|_| remains)
        };
        if let Some(id) = id {
            Arc::clone(&self.lifecycle).destroy_by_token(id).await?;
        }
        Ok(())
    }
}
