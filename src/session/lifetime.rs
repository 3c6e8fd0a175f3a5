//! The max age and the absolute end of one session.

use std::time::{Duration, SystemTime};

use crate::clock::unix_millis;
use crate::error::SessionError;
use crate::session::handle::Session;
use crate::session::lifetime_change::LifetimeChange;

/// # Lifetime of this session
impl Session {
    /// Sets the max age of this session, the time from its last use until it expires. It replaces
    /// the configured one.
    ///
    /// For "remember me", and for shorter sessions on shared devices. `max_age` is in whole
    /// seconds, from 1 second to 100 years. The record stores it, so that every process resets the
    /// time to live to this value.
    ///
    /// Takes effect with the next [`create`](Self::create), [`login`](Self::login),
    /// [`rotate`](Self::rotate) or write, such as [`update`](Self::update). If two handles set it,
    /// the last write wins; a handle that did not set it never changes it.
    ///
    /// A session keeps its max age when it gets another id, for example at the login of a guest or
    /// at another login of the same owner. If the user does not choose "remember me" this time,
    /// call [`clear_max_age`](Self::clear_max_age).
    ///
    /// The session never outlives its absolute lifetime. The max age applies even with
    /// [`Lifetime::Absolute`](crate::Lifetime::Absolute).
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use jwt_redis_session::{Keyring, MemoryStore, SessionError, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// const MONTH: Duration = Duration::from_secs(30 * 86_400);
    ///
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring)
    ///     .max_age(Duration::from_secs(30 * 60))
    ///     .build()?;
    /// let session = sessions.new_session();
    /// for remember_me in [true, false] { // from the login form
    ///     if remember_me {
    ///         session.set_max_age(MONTH)?;
    ///     } else {
    ///         session.clear_max_age(); // of a login before
    ///     }
    ///     session.login("jo").await?;
    ///     assert_eq!(session.max_age(), remember_me.then_some(MONTH));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidDuration`] if `max_age` is out of range or has a fraction of a
    /// second. Nothing is changed then.
    pub fn set_max_age(&self, max_age: Duration) -> Result<(), SessionError> {
        let max_age = LifetimeChange::max_age(max_age)?;
        self.change().lifetime.max_age = Some(max_age);
        Ok(())
    }

    /// Removes the session's own max age, so that the configured one applies. Takes effect as
    /// [`set_max_age`](Self::set_max_age).
    pub fn clear_max_age(&self) {
        self.change().lifetime.max_age = Some(None);
    }

    /// Returns the session's own max age: the one set on this handle, or else the one that is
    /// stored; `None` if that of the configuration applies.
    #[must_use]
    pub fn max_age(&self) -> Option<Duration> {
        let state = self.state_read();
        match state.lifetime.max_age {
            Some(set) => set.map(|seconds| Duration::from_secs(seconds.get().into())),
            None => state.data.record.as_ref()?.meta.idle(),
        }
    }

    /// Sets an earlier absolute end: the session ends at `end` at the latest, even if it is used.
    ///
    /// Use it for a session that must not outlive something else, such as a password or a shift.
    /// The end can only be earlier: a time after the current absolute end has no effect. Times are
    /// in whole seconds, rounded down. A time in the past ends the session two seconds after it is
    /// stored; to end it at once, use [`destroy`](Self::destroy).
    ///
    /// Takes effect as [`set_max_age`](Self::set_max_age), for all handles;
    /// [`absolute_expiry`](Self::absolute_expiry) returns it then. Tokens that were issued before
    /// keep their `exp`, but the session ends with the record. Later tokens have the new `exp`.
    ///
    /// ```
    /// # use std::time::{Duration, SystemTime};
    /// # use jwt_redis_session::{Session, SessionError};
    /// # async fn doc(session: Session) -> Result<(), SessionError> {
    /// session.set_absolute_expiry(SystemTime::now() + Duration::from_secs(3600));
    /// session.update().await?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn set_absolute_expiry(&self, end: SystemTime) {
        let end = unix_millis(end).div_euclid(1000);
        let mut state = self.change();
        // The earlier of two times wins.
        state.lifetime.end = Some(state.lifetime.end.map_or(end, |earlier| earlier.min(end)));
    }
}
