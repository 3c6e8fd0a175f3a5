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
    /// The session keeps its stored data, merged with the changes of this handle. The old id and
    /// token stop working. Call it whenever the privileges of the user change, so that a stolen
    /// token does not gain them (OWASP ASVS 5.0, 7.2.4); [`login`](Self::login) includes it.
    ///
    /// The new token has the application's claims of the old one. Of two concurrent rotations
    /// exactly one succeeds. Runs to completion even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// - [`SessionError::Gone`] if the session has ended, or another rotation has succeeded.
    /// - [`SessionError::Revoked`] if a `destroy_all` of the owner ended each attempt.
    /// - [`SessionError::Unavailable`] if the store failed. Usually the old token still works. It
    ///   does not if only the reply to the last step was lost. If the rotation could not be undone,
    ///   a [`list`](Self::list) a minute later ends the session.
    /// - Otherwise as [`update`](Self::update).
    pub async fn rotate(&self) -> Result<Token, SessionError> {
        let inner = Arc::clone(&self.0);
        self.complete("rotate", || inner.rotate(None)).await
    }

    /// Rotates the session as [`rotate`](Self::rotate) does, but the old token also opens it for
    /// `grace`, 1 second to 5 minutes.
    ///
    /// For clients with several requests in flight, for example a page that loads its parts while
    /// a timer replaces the token. During the grace, the old id redirects to the new one. A request
    /// with the old token reads and writes the session, and its handle has the new
    /// [`id`](Self::id). The same applies to handles that were loaded before the rotation, so no
    /// write is lost. The old token is rejected after the grace. It is rejected earlier if a
    /// request with either token calls [`destroy`](Self::destroy),
    /// [`destroy_all`](Self::destroy_all), `rotate` or [`login`](Self::login).
    ///
    /// **Not for a change of privileges**: a stolen token would gain them for the grace. Use
    /// `rotate` or `login` then. `destroy_others` does not end the old token of the current
    /// session.
    ///
    /// If another rotation with a grace succeeds first, this call returns a token for the new
    /// session as well: with JWTs, another token for the new id; with opaque tokens, whose id is a
    /// hash of the token, a token for a third id. An old token leads through at most 8 rotations,
    /// each within the grace of the previous one.
    ///
    /// The grace ends by the clock of the store, or by the clock of the reading host plus the
    /// leeway of the key ring, whichever is first.
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
    /// [`SessionError::InvalidDuration`] if `grace` is out of range; nothing is changed then.
    /// Otherwise as `rotate`, with one difference: after [`SessionError::Unavailable`] or a crash,
    /// the old token still works at least until the grace ends, unless the rotation was undone
    /// although the store had applied its last step. After a crash in the middle, a
    /// [`list`](Self::list) a minute later ends the session.
    pub async fn rotate_with_grace(&self, grace: Duration) -> Result<Token, SessionError> {
        if !GRACE.contains(&grace) {
            return Err(SessionError::InvalidDuration);
        }
        let inner = Arc::clone(&self.0);
        self.complete("rotate", move || inner.rotate(Some(grace)))
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
            // The other rotation has already given the session a new id. Rotating again would limit
            // the token of its client to the grace.
            reissue = grace.is_some() && self.lifecycle.can_reissue();
        };
        let created = self.activate(created, &pending);
        created.token.ok_or(SessionError::NoTokens)
    }
}
