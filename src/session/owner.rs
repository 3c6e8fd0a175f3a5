//! The owner of a session: login and logout.

use std::sync::Arc;

use serde_json::Map;

use crate::error::{Result, SessionError};
use crate::record::{Owner, Record};
use crate::session::handle::Session;
use crate::session::inner::Inner;
use crate::session::snapshot::OwnerChange;
use crate::token::Token;
use crate::token_rejection::TokenRejection;

/// # Login and logout
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
    /// The changes of this handle are stored in every case. Loaded data is never copied to the
    /// session of another owner.
    ///
    /// The session counts as [authenticated](Self::authenticated_at) now.
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
    /// - [`SessionError::InvalidOwner`] and [`SessionError::NoTokens`] before anything is changed.
    /// - [`SessionError::Unavailable`] if the store failed, or if the session of the request could
    ///   not be loaded. The session from before the login may be gone, and its data with it. Answer
    ///   503, so that the user repeats the login.
    /// - [`SessionError::Gone`] if the session ended during the login, for example because a
    ///   concurrent login with the same token has won and has taken the data. A second call on this
    ///   handle creates a new session.
    /// - Otherwise as [`rotate`](Self::rotate) and [`create`](Self::create).
    pub async fn login(&self, owner: impl AsRef<str>) -> Result<Token, SessionError> {
        let owner = Owner::parse(owner.as_ref())?;
        let inner = Arc::clone(&self.0);
        self.complete("login", || inner.login(owner)).await
    }

    /// Ends the session: the same as [`destroy`](Self::destroy).
    ///
    /// # Errors
    ///
    /// As [`destroy`](Self::destroy).
    pub async fn logout(&self) -> Result<bool, SessionError> {
        self.destroy().await
    }

    /// Returns the owner: the one set on this handle, or else the one that is stored.
    #[must_use]
    pub fn owner(&self) -> Option<String> {
        let state = self.data_read();
        let owner = match &state.owner {
            OwnerChange::Set(owner) => Some(owner),
            OwnerChange::Clear => None,
            OwnerChange::Keep | OwnerChange::Invalid => state.data.record.as_ref()?.owner(),
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
    /// [`SessionError::InvalidOwner`] if `owner` is empty or longer than 512 bytes. If the error is
    /// ignored, the next operation that stores the owner returns it again, so that no session is
    /// stored without its owner.
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
}

impl Inner {
    async fn login(self: Arc<Self>, owner: Owner) -> Result<Token> {
        // Before anything is changed: without tokens the new session could not be used.
        self.lifecycle.format()?;
        let current = match self.current() {
            Ok(current) => Some(current),
            Err(error @ SessionError::Unavailable(_)) => return Err(error),
            Err(error) => {
                // The record of a valid token remains if it is corrupt or past its absolute end.
                let id = self.lock().id.clone();
                if let SessionError::Rejected(reason) = error
                    && reason != TokenRejection::Unknown
                    && let Some(id) = id
                {
                    Arc::clone(&self.lifecycle).destroy_by_token(id).await?;
                }
                None
            }
        };
        let mut pending = self.pending();
        pending.owner = OwnerChange::Set(owner.clone());
        pending.authenticated = Some(self.lifecycle.now());
        let new = pending.new_record(&self.lifecycle)?;
        let created = match current {
            Some(mut now) => loop {
                pending.end = now.end(&self.lifecycle);
                let merge = |before: &Record| pending.merge(before);
                let mut rotation = now.rotation(&self.lifecycle, &merge)?;
                rotation.login = Some((owner.clone(), new.clone()));
                match self.lifecycle.rotate(rotation).await {
                    Ok(created) => break created,
                    Err(error) => now = self.follow("login", &now.id, error).await?,
                }
            },
            None => self.lifecycle.create(new, Some(Map::new())).await?,
        };
        let created = self.activate(created, &pending);
        // A `set_owner` before the login is obsolete.
        self.lock().owner = OwnerChange::Keep;
        created.token.ok_or(SessionError::NoTokens)
    }
}
