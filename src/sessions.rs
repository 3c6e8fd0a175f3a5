//! Sessions without HTTP.

use std::sync::Arc;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::{Engine, to_its_end};
use crate::lifecycle::load::Loaded;
use crate::record::owner::Owner;
use crate::session::{Session, SessionEntry, SessionState};
use crate::telemetry;
use crate::token::{Claims, Verified};
use crate::token_rejection::TokenRejection;

/// Opens, lists and ends sessions; the core behind the middleware, and whole without it.
///
/// Made by [`Sessions::builder`]; clones share everything.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, TokenRejection, SessionError, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
///
/// let session = sessions.new_session();
/// session.set_owner("jo");
/// let token = session.create().await?;
///
/// assert_eq!(sessions.list("jo").await?.len(), 1);
/// assert_eq!(sessions.destroy_all("jo").await?, 1);
/// let refused = sessions.open(token.as_str()).await.unwrap_err();
/// assert_eq!(refused, SessionError::Rejected(TokenRejection::Unknown));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Sessions {
    engine: Arc<Engine>,
}

impl Sessions {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine: Arc::new(engine),
        }
    }

    /// A handle without a session, to create one.
    #[must_use]
    pub fn new_session(&self) -> Session {
        Session::absent(Arc::clone(&self.engine))
    }

    /// Opens the session that `token` names.
    ///
    /// One round trip to the store; none if the token is bad.
    ///
    /// # Errors
    ///
    /// [`SessionError::Rejected`] if the token gives no session, [`SessionError::Unavailable`]
    /// if the store did not answer.
    pub async fn open(&self, token: &str) -> Result<Session, SessionError> {
        let session = self.from_token(token).await;
        match session.state() {
            SessionState::Rejected(reason) => Err(SessionError::Rejected(reason)),
            SessionState::Unavailable(error) => Err(SessionError::Unavailable(error)),
            SessionState::Absent | SessionState::Active | SessionState::Gone => Ok(session),
        }
    }

    /// As [`open`](Self::open), but the handle's [`state`](Session::state) tells how it went:
    /// what a middleware needs.
    pub async fn from_token(&self, token: &str) -> Session {
        let (id, claims) = match self.verify(token) {
            Ok(verified) => verified.into_parts(),
            Err(reason) => return self.rejected(reason),
        };
        let expires = claims.as_ref().and_then(Claims::expires_at);
        match self.engine.load(&id, expires).await {
            Ok(loaded) => Session::active(Arc::clone(&self.engine), id, claims, loaded),
            Err(error) => self.refused(error, id),
        }
    }

    /// Checks a token without asking the store, by the key ring and the clock of these sessions:
    /// for what the token of a session that is not there says, for example in an error message.
    ///
    /// No round trip, and nothing is counted. What comes back is no login; see [`Verified`]. Of an
    /// opaque token only the form is checked.
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, TokenRejection, SessionError, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let claims = serde_json::json!({ "version": 1 });
    /// let session = sessions.new_session();
    /// let token = session.create_with_claims(claims).await?;
    /// session.destroy().await?;
    ///
    /// let refused = sessions.open(token.as_str()).await.unwrap_err();
    /// assert_eq!(refused, SessionError::Rejected(TokenRejection::Unknown));
    /// let verified = sessions.verify(token.as_str()).unwrap();
    /// assert_eq!(verified.claims().unwrap().get("version")?, Some(1));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`TokenRejection`] with the first check that fails, as [`open`](Self::open) would tell it
    /// before it asks the store. The reason is for logs; do not tell it to the client.
    pub fn verify(&self, token: &str) -> Result<Verified, TokenRejection> {
        let engine = &self.engine;
        let require_exp = engine.lifetime.absolute().is_some();
        engine
            .format
            .identify(token, engine.clock.now(), require_exp)
    }

    /// A handle of a request whose token cannot even be read: for a middleware of your own.
    #[must_use]
    pub fn rejected(&self, reason: TokenRejection) -> Session {
        telemetry::rejected(reason);
        Session::rejected(Arc::clone(&self.engine), reason, false)
    }

    /// Opens the session `id`, without a token: for administration.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn get(&self, id: &SessionId) -> Result<Session, SessionError> {
        let loaded = self.engine.load(id, None).await?;
        Ok(self.active(id, loaded))
    }

    /// As [`get`](Self::get), but leaves the time to live alone, also with
    /// [`touch_every_read`](crate::SessionsBuilder::touch_every_read): to look at a session without
    /// using it, or to decide first whether the caller may use it.
    /// [`Session::keep_alive`] makes up for it.
    ///
    /// Redis: `GET` and `PTTL`, one round trip; nothing is written.
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
        let loaded = self.engine.get_without_touch(id).await?;
        Ok(self.active(id, loaded))
    }

    /// As [`get_without_touch`](Self::get_without_touch) for several sessions, also of different keyspaces: in one round
    /// trip if all of them were built on clones of one [`SharedStore`](crate::store::SharedStore), else one after the other.
    /// The results are in the order of `looks`.
    ///
    /// For an application that looks up who asks along with what they ask for.
    pub async fn get_many(looks: &[(&Self, &SessionId)]) -> Vec<Result<Session, SessionError>> {
        let engines = looks.iter().map(|(sessions, id)| (&*sessions.engine, *id));
        let engines: Vec<_> = engines.collect();
        let loaded = Engine::get_many(&engines).await;
        let found = looks.iter().zip(loaded);
        found
            .map(|((sessions, id), loaded)| Ok(sessions.active(id, loaded?)))
            .collect()
    }

    /// Ends the session `id`, whoever it belongs to, and tells whether there was one to end.
    /// Runs to its end even if the caller is dropped.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]: the session may still live. [`SessionError::Corrupt`] if
    /// what stands there is no session; it is left alone.
    pub async fn destroy(&self, id: &SessionId) -> Result<bool, SessionError> {
        to_its_end(Arc::clone(&self.engine).destroy_by_id(id.clone(), None)).await
    }

    /// Ends the session `id` if it belongs to `owner`, and tells whether there was one to end:
    /// for "log out this device" in a user's own list.
    ///
    /// # Errors
    ///
    /// As [`destroy`](Self::destroy); [`SessionError::InvalidOwner`].
    pub async fn destroy_owned(&self, owner: &str, id: &SessionId) -> Result<bool, SessionError> {
        let owner = parse(owner)?;
        to_its_end(Arc::clone(&self.engine).destroy_by_id(id.clone(), Some(owner))).await
    }

    /// Lists every live session of `owner`, oldest first.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidOwner`], [`SessionError::Unavailable`].
    pub async fn list(&self, owner: &str) -> Result<Vec<SessionEntry>, SessionError> {
        SessionEntry::list(&self.engine, parse(owner)?).await
    }

    /// Ends every session of `owner` and returns how many there were: after `Ok` none that was
    /// acknowledged before the call works, and one that is created meanwhile either does not work
    /// or is listed. Runs to its end even if the caller is dropped; after a failure it may be
    /// repeated.
    ///
    /// # Errors
    ///
    /// [`SessionError::InvalidOwner`]; [`SessionError::Unavailable`]: some may still live.
    pub async fn destroy_all(&self, owner: &str) -> Result<usize, SessionError> {
        to_its_end(Arc::clone(&self.engine).destroy_all(parse(owner)?, None)).await
    }

    /// As [`destroy_all`](Self::destroy_all), but leaves the session `keep` alone.
    ///
    /// # Errors
    ///
    /// As [`destroy_all`](Self::destroy_all).
    pub async fn destroy_others(
        &self,
        owner: &str,
        keep: &SessionId,
    ) -> Result<usize, SessionError> {
        let (owner, keep) = (parse(owner)?, Some(keep.clone()));
        to_its_end(Arc::clone(&self.engine).destroy_all(owner, keep)).await
    }

    fn active(&self, id: &SessionId, loaded: Loaded) -> Session {
        Session::active(Arc::clone(&self.engine), id.clone(), None, loaded)
    }

    /// The handle for a good token whose session could not be loaded.
    fn refused(&self, error: SessionError, id: SessionId) -> Session {
        let engine = Arc::clone(&self.engine);
        match error {
            SessionError::Unavailable(error) => Session::unavailable(engine, error, Some(id)),
            SessionError::Rejected(reason) => {
                telemetry::rejected(reason);
                Session::rejected(engine, reason, true)
            }
            _ => Session::rejected(engine, TokenRejection::Corrupt, true),
        }
    }
}

fn parse(owner: &str) -> Result<Owner, SessionError> {
    Owner::parse(owner).ok_or(SessionError::InvalidOwner)
}
