//! Operations on the session of a handle.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use crate::error::{Result, SessionError};
use crate::lifecycle::run_to_completion;
use crate::record::{Record, SessionData};
use crate::session::access::TokenChange;
use crate::session::handle::Session;
use crate::session::inner::{Inner, SessionState};
use crate::session::lifetime_change::LifetimeChange;
use crate::session::snapshot::OwnerChange;
use crate::token_rejection::TokenRejection;

/// # Storing and ending
impl Session {
    /// Stores the changes of this handle, atomically merged onto the stored data.
    ///
    /// The changes are those since the session was loaded or last stored. Afterwards the handle
    /// has the stored data, and the time to live starts again.
    ///
    /// Merging is per top-level field: two requests that change different fields both succeed,
    /// and of two that change the same field the last one wins.
    ///
    /// Redis: a compare-and-set script on the loaded bytes. It takes one round trip unless another
    /// request writes at the same time, and at most 16 attempts.
    ///
    /// # Errors
    ///
    /// After an error the handle keeps its changes.
    ///
    /// - [`SessionError::Gone`] if the session has ended. Nothing was written: a session is never
    ///   revived. The user has to log in again.
    /// - [`SessionError::Conflict`] if all attempts lost against other writers. Nothing was
    ///   written: repeat the call.
    /// - [`SessionError::TooLarge`] if the session would exceed a limit. Nothing was written.
    /// - [`SessionError::Unavailable`] if the store failed. The changes may or may not have been
    ///   stored; [`reload`](Self::reload) shows it, and drops those of the handle.
    /// - [`SessionError::InvalidOwner`] if [`set_owner`](Self::set_owner) had returned it.
    /// - [`SessionError::Absent`] or [`SessionError::Rejected`] without a session: call
    ///   [`create`](Self::create) or [`login`](Self::login) first.
    pub async fn update(&self) -> Result<(), SessionError> {
        // A change of owner takes several steps, which must not stop in between.
        if self.0.lock().owner == OwnerChange::Keep {
            self.0.run("update", || self.0.store(false)).await
        } else {
            let inner = Arc::clone(&self.0);
            self.complete("update", async move || inner.store(true).await)
                .await
        }
    }

    /// Reads, modifies and writes the data in one atomic step.
    ///
    /// `f` receives the stored data with the changes of this handle. It runs again if another
    /// request has written in the meantime. If `f` fails, nothing is written. A pending
    /// [`set_owner`](Self::set_owner) or [`set_device`](Self::set_device) stays pending.
    ///
    /// The error of `f` is any type that implements `From<SessionError>`. If the compiler cannot
    /// infer it, name it, as in `Ok::<_, SessionError>(visits)`.
    ///
    /// ```
    /// # use jwt_redis_session::{Session, SessionError};
    /// # async fn doc(session: Session) -> Result<(), SessionError> {
    /// let visits = session
    ///     .update_with(|data| {
    ///         let visits = data.get::<u64>("visits")?.unwrap_or(0) + 1;
    ///         data.insert("visits", visits)?;
    ///         Ok::<_, SessionError>(visits)
    ///     })
    ///     .await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The error that `f` returns; otherwise as [`update`](Self::update).
    pub async fn update_with<R: Send, E: From<SessionError> + Send>(
        &self,
        f: impl FnMut(&mut SessionData) -> Result<R, E> + Send,
    ) -> Result<R, E> {
        self.0.run("update_with", || self.0.modify(f)).await?
    }

    /// Replaces the whole data by `data`, which must serialize to a JSON object.
    ///
    /// The last writer wins. The owner and the times stay the same, except for a pending
    /// [`set_max_age`](Self::set_max_age). Earlier changes on this handle are dropped. A pending
    /// [`set_owner`](Self::set_owner) or [`set_device`](Self::set_device) stays pending.
    ///
    /// # Errors
    ///
    /// [`SessionError::Encode`] if `data` does not serialize to an object,
    /// [`SessionError::ReservedField`] if one of its fields has a reserved name; otherwise as
    /// [`update`](Self::update).
    pub async fn replace(&self, data: impl Serialize) -> Result<(), SessionError> {
        let mut whole = SessionData::default();
        whole.merge(data)?;
        let replace = async || {
            let (mut current, pending) = (self.0.current()?, self.0.pending().data_only());
            let mut edit = |before: &Record| Ok(whole.to_record(pending.meta(before)?));
            self.0.save(&mut current, &pending, &mut edit).await
        };
        self.0.run("replace", replace).await
    }

    /// Loads the newest data, never from a cache.
    ///
    /// Drops unstored changes, including those of the owner, the lifetime and the device.
    ///
    /// # Errors
    ///
    /// After an error the handle keeps its changes.
    ///
    /// - [`SessionError::Gone`] if the session has ended. The handle is no longer active.
    /// - [`SessionError::Corrupt`] if the stored value is not a session;
    ///   [`destroy`](Self::destroy) deletes it.
    /// - [`SessionError::Unavailable`] if the store did not answer; repeat the call.
    /// - Without a session as [`update`](Self::update).
    pub async fn reload(&self) -> Result<(), SessionError> {
        let reload = async || {
            let current = self.0.current()?;
            let loaded = self.0.lifecycle.reload(&current.id).await;
            let loaded = loaded.map_err(|error| match error {
                SessionError::Rejected(TokenRejection::Corrupt) => SessionError::Corrupt,
                SessionError::Rejected(_) => SessionError::Gone,
                error => error,
            })?;
            // Only after the read has succeeded: a failed reload keeps the changes.
            let mut state = self.0.lock();
            state.id = Some(loaded.new_id.unwrap_or(current.id));
            state.data = loaded.record.into();
            state.owner = OwnerChange::Keep;
            state.lifetime = LifetimeChange::default();
            state.device = None;
            state.remaining = loaded.remaining;
            Ok(())
        };
        self.0.run("reload", reload).await
    }

    /// Resets the time to live to the max age, but not beyond the absolute lifetime.
    ///
    /// If another request has changed the [max age of this session](Self::set_max_age), the new one
    /// applies, even if this handle has not loaded it yet.
    ///
    /// Redis: a script with `PEXPIRE`, in one round trip unless the max age has changed.
    ///
    /// # Errors
    ///
    /// As [`reload`](Self::reload). The call may be repeated after [`SessionError::Unavailable`].
    pub async fn touch(&self) -> Result<(), SessionError> {
        self.0.run("touch", || self.0.touch(None)).await
    }

    /// Sets the time to live to `ttl` instead of the max age, until the next use of the session
    /// resets it; see [`touch`](Self::touch).
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidDuration`] if `ttl` is below a millisecond or above 100 years;
    /// otherwise as [`touch`](Self::touch).
    pub async fn touch_for(&self, ttl: Duration) -> Result<(), SessionError> {
        self.0.run("touch", || self.0.touch(Some(ttl))).await
    }

    /// Resets the time to live if a read would do so now, and returns how long the session lives
    /// from now if it is not used.
    ///
    /// The reset is due by the rule for reads ([`Touch`](crate::Touch)), if more time is left than
    /// a use gives, or if the record does not expire. Without an idle time
    /// ([`Lifetime::Absolute`](crate::Lifetime::Absolute)) only the last case applies. Computed
    /// locally from the time to live last seen by this handle.
    ///
    /// [`Sessions::open`](crate::Sessions::open) resets the time to live in the background; this
    /// call waits for the reset. After
    /// [`Sessions::get_without_touch`](crate::Sessions::get_without_touch) it is the only reset.
    ///
    /// Redis: no command if the reset is not due, otherwise as [`touch`](Self::touch).
    ///
    /// # Errors
    ///
    /// As [`touch`](Self::touch).
    pub async fn keep_alive(&self) -> Result<Duration, SessionError> {
        if let Some(left) = self.0.left_if_not_due() {
            return Ok(left);
        }
        let keep_alive = async || {
            let (mut now, lifecycle) = (self.0.current()?, &self.0.lifecycle);
            let remaining = loop {
                let kept = lifecycle.keep_alive(&now.id, &now.record, now.remaining);
                match kept.await {
                    Ok(remaining) => break remaining,
                    Err(error) => now = self.0.follow("touch", &now.id, error).await?,
                }
            };
            self.0.lock().remaining = remaining;
            let left = remaining.at(lifecycle.now_millis());
            left.ok_or(SessionError::Gone)
        };
        // Boxed, because it is rare, and a future is moved until it runs.
        Box::pin(self.0.run("keep_alive", keep_alive)).await
    }

    /// Ends the session and returns whether there was one to end.
    ///
    /// After `Ok` its token never works again on any server, even if other requests are in flight.
    /// A session that is already gone is not an error. A corrupt record is deleted.
    ///
    /// Redis: a script with `DEL`, and a read if it has deleted nothing. Runs to completion even if
    /// the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store failed or did not answer. The session may still
    /// exist: report the failure to the user, and repeat the call, on this handle or another one.
    /// Without a session [`SessionError::Absent`] or [`SessionError::Rejected`].
    pub async fn destroy(&self) -> Result<bool, SessionError> {
        let inner = Arc::clone(&self.0);
        self.complete("destroy", || inner.destroy()).await
    }

    /// Returns whether the store still holds the session, without resetting its time to live.
    ///
    /// The data of the handle does not change. After `Ok(false)` its [`state`](Self::state) is no
    /// longer active. Connections that outlive their request wait for the [end](Self::ended)
    /// instead.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store did not answer: the session may still exist.
    pub async fn is_alive(&self) -> Result<bool, SessionError> {
        let is_alive = async || {
            let id = match self.0.current() {
                Ok(current) => current.id,
                Err(error @ SessionError::Unavailable(_)) => return Err(error),
                Err(_) => return Ok(false),
            };
            let alive = self.0.lifecycle.is_alive(&id).await?;
            if !alive {
                self.0.lock().session = SessionState::Gone;
            }
            Ok(alive)
        };
        self.0.run("is_alive", is_alive).await
    }

    /// Runs an operation of several steps, to completion even if the caller is dropped.
    pub(super) async fn complete<T: Send + 'static, F: Future<Output = Result<T>> + Send>(
        &self,
        name: &'static str,
        operation: impl FnOnce() -> F + Send + 'static,
    ) -> Result<T> {
        let inner = Arc::clone(&self.0);
        run_to_completion(async move || inner.run(name, operation).await).await
    }
}

impl Inner {
    /// Stores the changes of the data in one step, and a change of owner in several. Without
    /// `owner`, a change of owner stays pending.
    async fn store(&self, owner: bool) -> Result<()> {
        let (mut current, pending) = self.current_and_pending()?;
        let pending = if owner {
            pending
        } else {
            pending.without_owner()
        };
        let mut edit = |before: &Record| pending.merge(before);
        self.save(&mut current, &pending, &mut edit).await
    }

    /// The inner result is that of `f`. Its error ends the operation but does not change the state
    /// of the handle.
    async fn modify<R: Send, E: Send>(
        &self,
        mut f: impl FnMut(&mut SessionData) -> Result<R, E> + Send,
    ) -> Result<Result<R, E>> {
        // The number of fields is checked after `f`, which may remove some.
        let (mut current, pending) = (self.current()?, self.pending().data_only());
        let mut result = None;
        let mut edit = |before: &Record| {
            let changes = Arc::clone(&pending.changes);
            let mut data = SessionData::new(Some(before.clone()), changes);
            let modified = f(&mut data);
            let is_ok = modified.is_ok();
            result = Some(modified);
            // The error is a placeholder that ends `save`.
            if !is_ok {
                return Err(SessionError::Interrupted);
            }
            Ok(data.to_record(pending.meta(before)?))
        };
        let saved = self.save(&mut current, &pending, &mut edit).await;
        match result {
            Some(failed @ Err(_)) => Ok(failed),
            result => saved.and(result.ok_or(SessionError::Interrupted)),
        }
    }

    async fn touch(&self, ttl: Option<Duration>) -> Result<()> {
        let mut now = self.current()?;
        let remaining = loop {
            match self.lifecycle.touch(&now.id, &now.record, ttl).await {
                Ok(remaining) => break remaining,
                Err(error) => now = self.follow("touch", &now.id, error).await?,
            }
        };
        self.lock().remaining = remaining;
        Ok(())
    }

    async fn destroy(self: Arc<Self>) -> Result<bool> {
        let (session, id, owner) = {
            let mut state = self.lock();
            (state.access.state_read, state.access.data_read) = (true, true);
            let owner = state.data.record.as_ref().and_then(Record::owner).cloned();
            (state.session.clone(), state.id.clone(), owner)
        };
        let lifecycle = Arc::clone(&self.lifecycle);
        let destroyed = match (session, id) {
            (SessionState::Gone, _)
            | (SessionState::Rejected(TokenRejection::Unknown), Some(_)) => {
                self.lock().access.token = TokenChange::Ended;
                return Ok(false);
            }
            (SessionState::Active, Some(id)) => lifecycle.destroy(id, owner).await?,
            // The record could not be loaded, so its owner is unknown. The token is valid, which
            // is enough to end whatever it names.
            (SessionState::Rejected(_) | SessionState::Unavailable(_), Some(id)) => {
                lifecycle.destroy_by_token(id).await?
            }
            (session, _) => return session.check_active().and(Err(SessionError::Gone)),
        };
        self.lock().end();
        Ok(destroyed)
    }
}
