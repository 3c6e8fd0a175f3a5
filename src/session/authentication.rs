//! When the owner of a session last authenticated.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::clock::from_unix_seconds;
use crate::error::{Result, SessionError};
use crate::record::Record;
use crate::session::handle::Session;
use crate::session::inner::Inner;
use crate::token::Token;

/// # Step-up authentication
impl Session {
    /// Returns when the owner last authenticated; `None` if that is unknown, or without a session.
    ///
    /// [`login`](Self::login) and [`reauthenticated`](Self::reauthenticated) set this time, in
    /// whole seconds. [`rotate`](Self::rotate) and writes keep it. Setting an owner is not an
    /// authentication: the time is unknown after [`set_owner`](Self::set_owner) with another owner,
    /// and for a session made by [`create`](Self::create).
    ///
    /// A time in the future, by the clock of another host, counts as now.
    #[must_use]
    pub fn authenticated_at(&self) -> Option<SystemTime> {
        let state = self.state_read();
        state.active().ok()?;
        let authenticated = state.data.record.as_ref()?.meta.authenticated?;
        from_unix_seconds(authenticated.min(self.0.lifecycle.now()))
    }

    /// Returns whether the owner authenticated within the last `limit`.
    ///
    /// `false` if the time is unknown. To reject such requests, use
    /// [`RequireSession::authenticated_within`](crate::RequireSession::authenticated_within), or in
    /// a handler [`SessionRejection::insufficient_authentication`](crate::SessionRejection::insufficient_authentication).
    #[must_use]
    pub fn is_authenticated_within(&self, limit: Duration) -> bool {
        let Some(authenticated) = self.authenticated_at() else {
            return false;
        };
        let now = self.0.lifecycle.clock.now();
        // Negative if the clock was set back since.
        now.duration_since(authenticated).unwrap_or_default() <= limit
    }

    /// Records that the owner has authenticated again, and returns the new token.
    ///
    /// Call it after the password, passkey or code was checked, before an action that needs a
    /// recent authentication (step-up, RFC 9470). As with [`rotate`](Self::rotate), the session
    /// gets a new id and token, and the changes of this handle are stored. A pending
    /// [`set_owner`](Self::set_owner) stays pending.
    ///
    /// Unlike [`login`](Self::login) it never changes the owner and never creates a session.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let session = sessions.new_session();
    /// session.set_owner("jo")?;
    /// session.create().await?;
    /// assert_eq!(session.authenticated_at(), None);
    ///
    /// // Check the password of the owner here.
    /// let token = session.reauthenticated().await?;
    /// assert!(session.is_authenticated_within(Duration::from_secs(300)));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::NoOwner`] for a session without owner. [`SessionError::Conflict`] if another
    /// request has changed the owner: the new owner has not authenticated. Otherwise as
    /// [`rotate`](Self::rotate).
    pub async fn reauthenticated(&self) -> Result<Token, SessionError> {
        let inner = Arc::clone(&self.0);
        self.complete("reauthenticated", || inner.reauthenticated())
            .await
    }
}

impl Inner {
    async fn reauthenticated(self: Arc<Self>) -> Result<Token> {
        let (mut current, pending) = self.current_and_pending()?;
        let mut pending = pending.without_owner();
        pending.authenticated = Some(self.lifecycle.now());
        let owner = current.record.owner().cloned();
        let owner = owner.ok_or(SessionError::NoOwner)?;
        let created = loop {
            pending.end = current.end(&self.lifecycle);
            let merge = |before: &Record| {
                if before.owner() != Some(&owner) {
                    return Err(SessionError::Conflict);
                }
                pending.merge(before)
            };
            let rotation = current.rotation(&self.lifecycle, &merge)?;
            match self.lifecycle.rotate(rotation).await {
                Ok(created) => break created,
                Err(error) => current = self.follow("rotate", &current.id, error).await?,
            }
        };
        let created = self.activate(created, &pending);
        created.token.ok_or(SessionError::NoTokens)
    }
}
