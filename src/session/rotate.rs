//! Rotation of a session.

use std::sync::Arc;
use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::lifecycle::GRACE;
use crate::record::Record;
use crate::session::handle::Session;
use crate::session::inner::Inner;
use crate::token::Token;

/// # Rotation
impl Session {
    /// Gives the session a new id, and returns its new token.
    ///
    /// The data is that in the store with the changes of this handle. The old id and token stop
    /// working. Call it whenever the privileges of the user change, so that a stolen token does
    /// not gain them (OWASP ASVS 5.0, 7.2.4); [`login`](Self::login) includes it.
    ///
    /// Claims of the application move to the new token. Of two concurrent rotations exactly one
    /// wins. Runs to completion even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended, or another rotation has won.
    /// [`SessionError::Revoked`] if each attempt met a `destroy_all` of the owner. After
    /// [`SessionError::Unavailable`] the old token still works, unless the store has applied the
    /// last step and its reply was lost; and if the store stays unavailable so that the rotation
    /// cannot be undone, a [`list`](Self::list) a minute later ends the session. Otherwise as
    /// [`update`](Self::update).
    pub async fn rotate(&self) -> Result<Token, SessionError> {
        self.complete("rotate", Arc::clone(&self.0).rotate(None))
            .await
    }

    /// Rotates the session as [`rotate`](Self::rotate) does, but the old token also opens it for
    /// `grace`, 1 second to 5 minutes.
    ///
    /// For clients with several requests in flight, for example a page that loads its parts while
    /// a timer replaces the token. During the grace, the old id redirects to the new one. A request
    /// with the old token reads and writes the session, and its handle has the new
    /// [`id`](Self::id). So do handles that were loaded before the rotation: no write is lost.
    /// After the grace the old token is rejected. It is rejected at once after
    /// [`destroy`](Self::destroy), [`destroy_all`](Self::destroy_all), `rotate` or
    /// [`login`](Self::login), by any of the tokens.
    ///
    /// **Not for a change of privileges**: a token that was stolen before gains them for the grace.
    /// Use `rotate` or `login` then. `destroy_others` leaves the old token of the kept session
    /// alone.
    ///
    /// If another rotation with a grace wins against this one, this call returns a token for the
    /// new session as well: with JWTs, another token for the new id; with opaque tokens, whose id
    /// is a hash of the token, one for yet another id. At most 8 rotations, each within the grace
    /// of the one before, are followed from an old token.
    ///
    /// Clocks: the grace is measured by the store and by the clock of the reading host, whichever
    /// ends first; the leeway of the key ring is added to the latter.
    ///
    /// ```
    /// use std::time::Duration;
    /// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let session = sessions.new_session();
    /// let old = session.create().await?;
    /// let concurrent = sessions.open(old.as_str()).await?;
    ///
    /// let new = session.rotate_with_grace(Duration::from_secs(30)).await?;
    /// concurrent.insert("cart", ["apple"])?;
    /// concurrent.update().await?;
    /// assert!(sessions.open(new.as_str()).await?.contains_key("cart"));
    ///
    /// sessions.open(old.as_str()).await?.destroy().await?;
    /// assert!(sessions.open(new.as_str()).await.is_err());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidDuration`] before anything is changed. Otherwise as `rotate`. After
    /// [`SessionError::Unavailable`], or a crash, the old token still works, at least until the
    /// grace ends, unless the rotation was undone although the store had applied its last step.
    /// After a crash in the middle, a [`list`](Self::list) a minute later ends the session, as after
    /// one of `rotate`.
    pub async fn rotate_with_grace(&self, grace: Duration) -> Result<Token, SessionError> {
        if !GRACE.contains(&grace) {
            return Err(SessionError::InvalidDuration);
        }
        self.complete("rotate", Arc::clone(&self.0).rotate(Some(grace)))
            .await
    }
}

impl Inner {
    async fn rotate(self: Arc<Self>, grace: Option<Duration>) -> Result<Token> {
        let (mut current, mut pending) = self.current_and_pending()?;
        let mut reissue = false;
        let created = loop {
            pending.end = current.end(&self.lifecycle);
            let merge = |before: &Record| pending.merge(before);
            let mut rotation = current.rotation(&self.lifecycle, &merge)?;
            rotation.grace = grace;
            let created = match reissue {
                true => self.lifecycle.reissue(rotation).await,
                false => self.lifecycle.rotate(rotation).await,
            };
            match created {
                Ok(created) => break created,
                Err(error) => current = self.follow("rotate", &current.id, error).await?,
            }
            // The rotation that has won has given the session a new id already. Another one would
            // end the token of its client with the grace.
            reissue = grace.is_some() && self.lifecycle.can_reissue();
        };
        let created = self.activate(created, &pending);
        created.token.ok_or(SessionError::NoTokens)
    }
}
