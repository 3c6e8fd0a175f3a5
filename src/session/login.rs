//! Logging in and out.

use std::sync::Arc;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::login::Login;
use crate::record::Record;
use crate::record::owner::Owner;
use crate::session::handle::Session;
use crate::session::inner::{Inner, OwnerChange, custom_claims};
use crate::session::state::Status;
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// What a login begins with.
enum Before {
    /// No session that can be continued.
    Nothing,
    /// A valid token whose record is not a session any more: corrupt or past its absolute end.
    Remains(SessionId),
    Session,
}

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
        let before = match self.before_login()? {
            Before::Nothing => None,
            Before::Remains(id) => {
                let lifecycle = Arc::clone(&self.lifecycle);
                lifecycle.destroy_by_token(id).await?;
                None
            }
            Before::Session => Some(self.current()?),
        };
        let mut pending = self.pending();
        pending.owner = OwnerChange::Set(owner.clone());
        let new = pending.new_record(&self.lifecycle)?;
        pending.end = before.as_ref().and_then(|current| self.end(current));
        let claims = before.as_ref().and_then(|current| current.claims.as_ref());
        let login = Login {
            claims: custom_claims(claims)?,
            session: before.map(|current| (current.id, current.record)),
            owner,
            new,
            edit: &mut |before: &Record| pending.merge(before),
        };
        let created = Arc::clone(&self.lifecycle).login(login).await?;
        let created = self.activate(created, &pending);
        // A `set_owner` before the login is obsolete.
        self.lock().owner = OwnerChange::Keep;
        created.token.ok_or(SessionError::NoTokens)
    }

    fn before_login(&self) -> Result<Before, SessionError> {
        let mut state = self.lock();
        state.access.state_read = true;
        Ok(match &state.status {
            Status::Active { .. } => Before::Session,
            Status::Unavailable { error, .. } => return Err(error.clone().into()),
            Status::Rejected {
                reason,
                id: Some(id),
            } if *reason != TokenRejection::Unknown => Before::Remains(id.clone()),
            Status::Rejected { .. } | Status::Absent { .. } | Status::Gone => Before::Nothing,
        })
    }
}
