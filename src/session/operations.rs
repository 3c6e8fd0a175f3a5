//! What a handle does with its session in the store.

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::error::SessionError;
use crate::lifecycle::core::to_its_end;
use crate::record::data::SessionData;
use crate::session::cell::OwnerChange;
use crate::session::handle::Session;
use crate::token::Token;

impl Session {
    /// Stores what this handle changed since it was loaded or last stored, merged onto what the
    /// store holds now, atomically. Afterwards the handle holds what is stored. The time to live
    /// starts anew.
    ///
    /// Redis: a compare-and-set script on the loaded bytes, one round trip when nobody else
    /// wrote, at most 16 tries when others did.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended meanwhile: nothing is written then, a
    /// session is never revived. [`SessionError::Conflict`], [`SessionError::TooLarge`],
    /// [`SessionError::InvalidOwner`], [`SessionError::Unavailable`]; without a session
    /// [`SessionError::Absent`] or [`SessionError::Rejected`].
    pub async fn update(&self) -> Result<(), SessionError> {
        if self.0.lock().owner == OwnerChange::Keep {
            return self.0.update().await;
        }
        let shared = Arc::clone(&self.0);
        to_its_end(async move { shared.update_owner().await }).await
    }

    /// Reads, modifies and writes the data in one atomic step: `f` gets what the store holds now
    /// (with the changes of this handle) and may run again when others wrote meanwhile. If `f`
    /// fails nothing is written. A pending [`set_owner`](Self::set_owner) stays pending.
    ///
    /// ```
    /// # use jwt_redis_session::{Session, SessionError};
    /// # async fn doc(session: Session) -> Result<(), SessionError> {
    /// let visits = session
    ///     .update_with(|data| {
    ///         let visits = data.get::<u64>("visits")?.unwrap_or(0) + 1;
    ///         data.insert("visits", visits)?;
    ///         Ok(visits)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and whatever `f` returns.
    pub async fn update_with<R: Send>(
        &self,
        f: impl FnMut(&mut SessionData) -> Result<R, SessionError> + Send,
    ) -> Result<R, SessionError> {
        let _turn = self.0.turn.lock().await;
        self.0
            .update_with(f)
            .await
            .map_err(|error| self.0.failed("update_with", error))
    }

    /// Replaces the whole data by `data`, which must serialise to a JSON object. The last writer
    /// wins; the owner and the times stay. Changes made on this handle before are dropped, and a
    /// pending [`set_owner`](Self::set_owner) stays pending.
    ///
    /// # Errors
    ///
    /// As [`update`](Self::update), and [`SessionError::Encode`], [`SessionError::ReservedField`].
    pub async fn replace(&self, data: impl Serialize) -> Result<(), SessionError> {
        let mut whole = SessionData::default();
        whole.merge(data)?;
        let _turn = self.0.turn.lock().await;
        self.0
            .replace(&whole)
            .await
            .map_err(|error| self.0.failed("replace", error))
    }

    /// Loads the newest data. Changes that were not stored, an owner among them, are dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`], and the handle is no longer active; [`SessionError::Corrupt`];
    /// [`SessionError::Unavailable`]; without a session as [`update`](Self::update).
    pub async fn reload(&self) -> Result<(), SessionError> {
        let _turn = self.0.turn.lock().await;
        self.0
            .reload()
            .await
            .map_err(|error| self.0.failed("reload", error))
    }

    /// Lets the session live for the max age from now, but not beyond its absolute lifetime.
    ///
    /// Redis: `PEXPIRE`.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`], [`SessionError::Unavailable`]; without a session as
    /// [`update`](Self::update).
    pub async fn touch(&self) -> Result<(), SessionError> {
        self.touch_ttl(None).await
    }

    /// As [`touch`](Self::touch), for `ttl` instead of the max age, until the next use of the
    /// session sets it back.
    ///
    /// # Errors
    ///
    /// As [`touch`](Self::touch); [`SessionError::InvalidDuration`] below a millisecond or above
    /// 100 years.
    pub async fn touch_for(&self, ttl: Duration) -> Result<(), SessionError> {
        self.touch_ttl(Some(ttl)).await
    }

    async fn touch_ttl(&self, ttl: Option<Duration>) -> Result<(), SessionError> {
        let _turn = self.0.turn.lock().await;
        let touched = self.0.touch(ttl).await;
        touched.map_err(|error| self.0.failed("touch", error))
    }

    /// Pushes the time to live back if that is due, waits for it, and returns how long the session
    /// lives from now unless it is used.
    ///
    /// Due by the same rule as at a read: more than
    /// [`touch_after`](crate::SessionsBuilder::touch_after) has passed since the last use (any
    /// time at all with [`touch_every_read`](crate::SessionsBuilder::touch_every_read)), or more
    /// is left than a use gives, or the record does not expire. What counts is what this handle
    /// saw when it read or wrote the session, and the clock of the application since then: what
    /// others did to the time to live meanwhile is not known here. Without a max age only a record
    /// that does not expire is due.
    ///
    /// A handle from [`Sessions::open`](crate::Sessions::open) has the time to live pushed back in
    /// the background if that is due, and does not know how that goes; this waits for one of its
    /// own. After [`Sessions::get_without_touch`](crate::Sessions::get_without_touch) it is the only one.
    ///
    /// Redis: none if it is not due; `PEXPIRE` if it is, in one round trip.
    ///
    /// # Errors
    ///
    /// As [`touch`](Self::touch).
    pub async fn keep_alive(&self) -> Result<Duration, SessionError> {
        let _turn = self.0.turn.lock().await;
        let left = self.0.keep_alive().await;
        left.map_err(|error| self.0.failed("keep_alive", error))
    }

    /// Gives the session a new id and a new token, with the data that is stored and what this
    /// handle changed; the old id and token are dead then. Call it whenever the user's privileges
    /// change, so that a token known to somebody else does not gain them (OWASP ASVS 5.0, 7.2.4).
    ///
    /// Claims of your own move to the new token. Of two concurrent rotations exactly one wins.
    /// Runs to its end even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Gone`] if the session has ended, or another rotation has won. After
    /// [`SessionError::Unavailable`] the old token still works, unless the store has carried out
    /// the last step and its reply was lost; and if the store stays away so that the rotation
    /// cannot be undone, a [`list`](Self::list) a minute later ends the session. Otherwise as [`update`](Self::update).
    pub async fn rotate(&self) -> Result<Token, SessionError> {
        let shared = Arc::clone(&self.0);
        to_its_end(async move {
            let _turn = shared.turn.lock().await;
            shared
                .rotate()
                .await
                .map_err(|error| shared.failed("rotate", error))
        })
        .await
    }

    /// Ends the session: after `Ok` its token never works again, anywhere, whatever other
    /// requests are under way. Returns whether there was a session to end; one that is gone
    /// already is no error.
    ///
    /// Redis: `DEL`. Runs to its end even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store refused or did not answer: the session may
    /// still live, and the call may be repeated, also on this handle. Without a session [`SessionError::Absent`] or
    /// [`SessionError::Rejected`].
    pub async fn destroy(&self) -> Result<bool, SessionError> {
        let shared = Arc::clone(&self.0);
        to_its_end(async move {
            let _turn = shared.turn.lock().await;
            shared.destroy().await
        })
        .await
    }

    /// Logs `owner` in and returns the token of the session, which always has a new id.
    ///
    /// # Errors
    ///
    /// As [`create`](Self::create) and [`rotate`](Self::rotate).
    pub async fn login(&self, owner: &str) -> Result<Token, SessionError> {
        let owner = crate::record::owner::Owner::parse(owner);
        let owner = owner.ok_or(SessionError::InvalidOwner)?;
        let shared = Arc::clone(&self.0);
        to_its_end(async move {
            let _turn = shared.turn.lock().await;
            let token = shared.login(owner).await;
            token.map_err(|error| shared.failed("login", error))
        })
        .await
    }

    /// Asks the store whether the session still lives, without prolonging it. For connections
    /// that outlive their request, such as a WebSocket: what the handle knows is of its start.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    pub async fn is_alive(&self) -> Result<bool, SessionError> {
        let id = match self.look().status.active() {
            Ok((id, _)) => id.clone(),
            Err(error @ SessionError::Unavailable(_)) => return Err(error),
            Err(_) => return Ok(false),
        };
        self.0.engine.is_alive(&id).await
    }
}
