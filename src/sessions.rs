//! Opening, listing and destroying sessions.

use std::sync::Arc;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Loaded, run_to_completion};
use crate::record::Owner;
use crate::session::{DestroyEverything, ListSessions, Session, SessionState};
use crate::telemetry;
use crate::token::Verified;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Sessions of one keyspace: creates, opens, lists and destroys them.
///
/// Built by [`Sessions::builder`]; clones share everything. The middleware is built on this type;
/// it also works without HTTP.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, TokenRejection, SessionError, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
///
/// let session = sessions.new_session();
/// session.set_owner("jo")?;
/// let token = session.create().await?;
///
/// assert_eq!(sessions.list("jo").await?.len(), 1);
/// assert_eq!(sessions.destroy_all("jo").await?, 1);
/// let rejected = sessions.open(token.as_str()).await.unwrap_err();
/// assert_eq!(rejected, SessionError::Rejected(TokenRejection::Unknown));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sessions {
    pub(crate) lifecycle: Arc<Lifecycle>,
}

impl Sessions {
    /// Returns a handle without a session, for example to call [`create`](Session::create) on it.
    #[must_use]
    pub fn new_session(&self) -> Session {
        self.absent(None)
    }

    /// Returns the session of a request without a token, or whose body was not searched for one.
    pub(crate) fn absent(&self, unsearched: Option<UnsearchedBody>) -> Session {
        if let Some(reason) = unsearched {
            telemetry::unsearched_body(reason);
        }
        Session::new(&self.lifecycle, SessionState::Absent { unsearched }, None)
    }

    /// Opens the session that `token` names.
    ///
    /// Takes one round trip to the store, or none if the token is invalid. `RedisStore` needs a
    /// second one for a record of 64 KiB or more, and so does
    /// [`Touch::EveryRead`](crate::Touch::EveryRead).
    ///
    /// # Errors
    ///
    /// [`SessionError::Rejected`] if the token gives no session: the user has to log in again.
    /// [`SessionError::Unavailable`] if the store did not answer: the session may still exist, so
    /// repeat the call later.
    pub async fn open(&self, token: &str) -> Result<Session, SessionError> {
        let session = self.from_token(token).await;
        session.state().check_active()?;
        Ok(session)
    }

    /// Opens the session that `token` names, and returns a handle in every case.
    ///
    /// For middleware: unlike [`open`](Self::open) it never fails, and the
    /// [`state`](Session::state) of the handle is the result.
    pub async fn from_token(&self, token: &str) -> Session {
        match self.verify(token) {
            Ok(verified) => self.load_verified(&verified).await,
            Err(reason) => self.rejected(reason),
        }
    }

    /// Loads the session of a verified token.
    pub(crate) async fn load_verified(&self, verified: &Verified) -> Session {
        match self.lifecycle.load(&verified.id).await {
            Ok(loaded) => {
                let Verified { id, claims } = verified.clone();
                Session::active(&self.lifecycle, id, claims, loaded)
            }
            Err(error) => self.not_loaded(error, Some(verified.id.clone())),
        }
    }

    /// Opens the session that `token` names without resetting its time to live. Also returns when
    /// the grace of the token ends, if it has one, in Unix milliseconds.
    ///
    /// A rejected token is not counted, because a request for introspection is not a login.
    pub(crate) async fn open_without_touch(
        &self,
        token: &str,
    ) -> Result<(Session, Option<i64>), SessionError> {
        let Verified { id, claims } = self.verify(token).map_err(SessionError::Rejected)?;
        let loaded = self.lifecycle.get_without_touch(&id).await?;
        let grace_end = loaded.grace_end;
        let session = Session::active(&self.lifecycle, id, claims, loaded);
        Ok((session, grace_end))
    }

    /// Verifies a token without contacting the store, for example to read the claims of a token
    /// whose session is gone.
    ///
    /// Uses the key ring and the clock of these sessions, and counts no metric. A verified token
    /// does not prove that its session still exists; see [`Verified`]. For an opaque token only
    /// the form is checked.
    ///
    /// # Errors
    ///
    /// [`TokenRejection`] with the first check that fails, as for [`open`](Self::open). The reason
    /// is for logs; do not send it to the client. Without a key ring every token is rejected as
    /// [`TokenRejection::Signature`].
    pub fn verify(&self, token: &str) -> Result<Verified, TokenRejection> {
        let lifecycle = &self.lifecycle;
        let require_exp = lifecycle.lifetime.absolute().is_some();
        let format = lifecycle.format.as_ref();
        format
            .ok_or(TokenRejection::Signature)?
            .identify(token, lifecycle.clock.now(), require_exp)
    }

    /// Returns a handle whose token was rejected before it could be verified. For middleware.
    #[must_use]
    pub fn rejected(&self, reason: TokenRejection) -> Session {
        self.not_loaded(SessionError::Rejected(reason), None)
    }

    /// Opens the session `id` without a token.
    ///
    /// Resets the time to live as [`open`](Self::open) does.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn get(&self, id: &SessionId) -> Result<Session, SessionError> {
        let loaded = self.lifecycle.load(id).await?;
        Ok(self.active(id, loaded))
    }

    /// Opens the session `id` without resetting its time to live, even with
    /// [`Touch::EveryRead`](crate::Touch::EveryRead).
    ///
    /// For reads that do not count as a use, and for reads before it is known whether the caller
    /// may use the session. [`Session::keep_alive`] resets the time to live afterwards.
    ///
    /// Redis: `PTTL` and `GETRANGE` in one round trip; a value of 64 KiB or more is read with `GET`
    /// in a second one. Nothing is written.
    ///
    /// ```
    /// # use jwt_redis_session::{Session, SessionError, SessionId, Sessions};
    /// # async fn doc(sessions: Sessions, id: SessionId) -> Result<Option<Session>, SessionError> {
    /// let session = sessions.get_without_touch(&id).await?;
    /// if session.owner().as_deref() != Some("jo") {
    ///     return Ok(None);
    /// }
    /// session.keep_alive().await?;
    /// # Ok(Some(session))
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn get_without_touch(&self, id: &SessionId) -> Result<Session, SessionError> {
        let loaded = self.lifecycle.get_without_touch(id).await?;
        Ok(self.active(id, loaded))
    }

    /// Opens several sessions in one round trip, in the order of `ids`, as
    /// [`get_without_touch`](Self::get_without_touch).
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), for each session.
    pub async fn get_many<'a>(
        &self,
        ids: impl IntoIterator<Item = &'a SessionId>,
    ) -> Vec<Result<Session, SessionError>> {
        Self::get_across(ids.into_iter().map(|id| (self, id))).await
    }

    /// Opens several sessions of different keyspaces, as [`get_many`](Self::get_many).
    ///
    /// Takes one round trip if all `Sessions` were built from clones of one
    /// [`SharedStore`](crate::store::SharedStore); otherwise it opens one session after the other.
    ///
    /// ```
    /// # use jwt_redis_session::{Session, SessionError, SessionId, Sessions};
    /// # async fn doc(users: Sessions, carts: Sessions, id: SessionId) -> Result<(), SessionError> {
    /// let mut found = Sessions::get_across([(&users, &id), (&carts, &id)]).await.into_iter();
    /// let user: Option<Result<Session, SessionError>> = found.next();
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open), for each session.
    pub async fn get_across<'a>(
        lookups: impl IntoIterator<Item = (&'a Self, &'a SessionId)>,
    ) -> Vec<Result<Session, SessionError>> {
        let lookups: Vec<_> = lookups.into_iter().collect();
        let records = lookups
            .iter()
            .map(|(sessions, id)| (&*sessions.lifecycle, *id));
        let loaded = Lifecycle::get_many(&records.collect::<Vec<_>>()).await;
        let found = lookups.iter().zip(loaded);
        found
            .map(|((sessions, id), loaded)| Ok(sessions.active(id, loaded?)))
            .collect()
    }

    /// Ends the session `id` of any owner, and returns whether there was one to end.
    ///
    /// A record that is corrupt is deleted. Runs to completion even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]: the session may still exist; repeat the call.
    pub async fn destroy(&self, id: &SessionId) -> Result<bool, SessionError> {
        let (lifecycle, id) = (Arc::clone(&self.lifecycle), id.clone());
        run_to_completion(|| lifecycle.destroy_by_id(id, None)).await
    }

    /// Ends the session `id` if it belongs to `owner`, and returns whether there was one to end.
    ///
    /// For "log out this device" in a list of the user's devices.
    ///
    /// # Errors
    ///
    /// As [`destroy`](Self::destroy). [`SessionError::InvalidOwner`] if `owner` is empty or longer
    /// than 512 bytes.
    pub async fn destroy_owned(&self, owner: &str, id: &SessionId) -> Result<bool, SessionError> {
        let owner = Owner::parse(owner)?;
        let (lifecycle, id) = (Arc::clone(&self.lifecycle), id.clone());
        run_to_completion(|| lifecycle.destroy_by_id(id, Some(owner))).await
    }

    /// Lists the sessions of `owner`.
    ///
    /// Awaiting the returned builder reads all of them, oldest first. For an owner with thousands
    /// of sessions, [`page`](ListSessions::page) and [`stream`](ListSessions::stream) read one
    /// part at a time.
    ///
    /// ```
    /// # use jwt_redis_session::{SessionError, Sessions};
    /// # async fn doc(sessions: Sessions) -> Result<(), SessionError> {
    /// let all = sessions.list("jo").with_data().await?;
    /// let latest = sessions.list("jo").newest_first().page(None, 10).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidOwner`] if `owner` is empty or longer than 512 bytes.
    /// [`SessionError::Unavailable`] if the store did not answer; repeat the call.
    pub fn list(&self, owner: &str) -> ListSessions {
        ListSessions::new(&self.lifecycle, Owner::parse(owner), None)
    }

    /// Returns the number of sessions of `owner`.
    ///
    /// Counts the sessions that a [list](Self::list) shows. A session that is created or destroyed
    /// during the call may be counted or not; one that is used during the call may be missed or
    /// counted twice.
    ///
    /// Costs as much as a list: it reads every record, 16 in one round trip, and keeps at most 256
    /// ids in memory.
    ///
    /// # Errors
    ///
    /// As [`list`](Self::list).
    pub async fn count(&self, owner: &str) -> Result<usize, SessionError> {
        self.lifecycle.count(&Owner::parse(owner)?).await
    }

    /// Ends every session of `owner` and returns how many there were.
    ///
    /// After `Ok` no session that was acknowledged before the call works. One that is created
    /// during the call either does not work or is listed. Runs to completion even if the caller is
    /// dropped. Keeps at most 256 ids and 16 records in memory.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidOwner`] if `owner` is empty or longer than 512 bytes.
    /// [`SessionError::Unavailable`]: some sessions may still exist; repeat the call.
    pub async fn destroy_all(&self, owner: &str) -> Result<usize, SessionError> {
        let (lifecycle, owner) = (Arc::clone(&self.lifecycle), Owner::parse(owner)?);
        run_to_completion(|| lifecycle.destroy_all(owner, None)).await
    }

    /// Ends every session of `owner` except `keep`, as [`destroy_all`](Self::destroy_all).
    ///
    /// # Errors
    ///
    /// As [`destroy_all`](Self::destroy_all).
    pub async fn destroy_others(
        &self,
        owner: &str,
        keep: &SessionId,
    ) -> Result<usize, SessionError> {
        let (owner, keep) = (Owner::parse(owner)?, Some(keep.clone()));
        let lifecycle = Arc::clone(&self.lifecycle);
        run_to_completion(|| lifecycle.destroy_all(owner, keep)).await
    }

    /// Ends every session of this keyspace, with and without owner, for an emergency.
    ///
    /// Awaiting the returned value ends all sessions and returns their number. To show progress and
    /// to continue after an error, [`next_part`](DestroyEverything::next_part) runs one part. The
    /// call may be repeated, and is complete when it ends no session.
    ///
    /// **For an immediate effect**, remove the signing key from the [`Keyring`](crate::Keyring) of
    /// all processes first. Then no token of this key opens a session, even during an outage of the
    /// store, and this call deletes the data.
    ///
    /// After `Ok`, no session that was acknowledged before the call still works. Limits:
    ///
    /// - A session that is created during the call may work. Stop logins first, or repeat the call.
    /// - The same applies to a session that is rotated during the call, if it has no owner or
    ///   changes its owner.
    /// - In a cluster, keys that move to another node during the call may be missed.
    ///
    /// Other keyspaces are not changed.
    ///
    /// Redis: `SCAN` of the whole database, on each master of a cluster, then as
    /// [`destroy_all`](Self::destroy_all) for each owner. The account needs
    /// `RedisStore::SCAN_ACL_RULES`.
    ///
    /// ```
    /// # use jwt_redis_session::{SessionError, Sessions};
    /// # async fn doc(sessions: Sessions) -> Result<(), SessionError> {
    /// let mut everything = sessions.destroy_everything();
    /// while let Some(ended) = everything.next_part().await? {
    ///     println!("{ended} sessions ended");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`SessionError::AmbiguousKeyspace`] with
    /// [`keyspace_without_delimiter`](crate::config::SessionsBuilder::keyspace_without_delimiter):
    /// sessions of others could end. [`SessionError::Unavailable`], with
    /// [`StoreErrorKind::Unsupported`](crate::store::StoreErrorKind::Unsupported) if the store has
    /// no [`scan`](crate::store::Store::scan), as [`CasStore`](crate::store::cas::CasStore).
    pub fn destroy_everything(&self) -> DestroyEverything {
        DestroyEverything::new(&self.lifecycle)
    }

    fn active(&self, id: &SessionId, loaded: Loaded) -> Session {
        Session::active(&self.lifecycle, id.clone(), None, loaded)
    }

    /// Returns the handle for a token without a session. `id` is the session that a valid token
    /// names.
    pub(crate) fn not_loaded(&self, error: SessionError, id: Option<SessionId>) -> Session {
        let state = match error {
            SessionError::Unavailable(error) => SessionState::Unavailable(error),
            SessionError::Rejected(reason) => SessionState::Rejected(reason),
            _ => SessionState::Rejected(TokenRejection::Corrupt),
        };
        if let SessionState::Rejected(reason) = state {
            telemetry::rejected(reason);
        }
        Session::new(&self.lifecycle, state, id)
    }
}
