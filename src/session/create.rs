//! Creating a session.

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::Created;
use crate::record::encode;
use crate::session::handle::Session;
use crate::token::Token;

/// # Creating a session without a login
impl Session {
    /// Creates a session with the fields and the owner set on this handle, and returns its token.
    ///
    /// The returned builder creates the session when it is awaited, by default under a random id.
    /// The token is returned only after the store has acknowledged the record.
    ///
    /// If the request already has a session, that session does not change. Its data is not copied,
    /// so that data of one user never reaches the session of another. For a login use
    /// [`login`](Self::login); to keep the data use [`rotate`](Self::rotate). A second `create` on
    /// the same handle creates an empty session, because the first one has stored the changes.
    ///
    /// Redis: `SET NX`. Runs to completion even if the future is dropped after the first poll.
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, SessionId, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let session = sessions.new_session();
    /// session.insert("user", "jo")?;
    /// let claims = serde_json::json!({ "tenant": "acme" });
    /// let token = session.create().claims(claims).await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// - [`SessionError::Unavailable`] if the store failed: repeat the call. If the session was
    ///   stored, it expires unused.
    /// - [`SessionError::TooLarge`] if the data exceeds a limit.
    /// - [`SessionError::TooManySessions`] with [`Evict::Refuse`](crate::config::Evict::Refuse).
    /// - [`SessionError::Revoked`] if a `destroy_all` of the owner ended each of five attempts.
    /// - [`SessionError::InvalidOwner`] if [`set_owner`](Self::set_owner) had returned it.
    /// - [`SessionError::Token`] if the token cannot be signed, [`SessionError::NoTokens`] without
    ///   a key ring.
    pub fn create(&self) -> CreateSession {
        CreateSession {
            session: self.clone(),
            id: None,
            claims: Ok(Map::new()),
        }
    }
}

/// Builder of a new session; awaiting it creates the session. See [`Session::create`].
///
/// `Debug` prints no claims.
#[must_use = "the session is created when this is awaited"]
pub struct CreateSession {
    session: Session,
    id: Option<SessionId>,
    claims: Result<Map<String, Value>>,
}

impl CreateSession {
    /// Adds the fields of `claims`, which must serialize to a JSON object, to the JWT as claims.
    ///
    /// The names of claims that the library sets are reserved: `jti`, `iat`, `sub` and `exp`, `iss`
    /// and `aud` if the key ring sets them, and `auth_time` with
    /// [`auth_time_claim`](crate::config::SessionsBuilder::auth_time_claim).
    ///
    /// The returned future fails with [`SessionError::Token`] for a reserved name or with opaque
    /// tokens, and with [`SessionError::Encode`] if `claims` is not an object.
    pub fn claims(mut self, claims: impl Serialize) -> Self {
        let encode = |error| SessionError::encode(Some("claims".to_owned()), error);
        self.claims = encode::to_map(&claims).map_err(encode);
        self
    }

    /// Creates the session under a chosen id.
    ///
    /// While a session with this id exists, every other creation with the id fails with
    /// [`SessionError::Taken`] and changes nothing.
    ///
    /// Knowing an id grants no access; only the token does. But **use an id only once**, for two
    /// reasons:
    ///
    /// - Every JWT that was ever issued for the id opens the session that has the id now.
    /// - An operation that is still running on an earlier session of this id may remove the new
    ///   one from its owner's list until its time to live is next refreshed. Examples are a
    ///   `destroy`, a touch that finds the session gone, and one of two concurrent `destroy_all`.
    ///
    /// If a concurrent `destroy_all` of the owner ends the new session, the creation is repeated
    /// under the same id. After five attempts, with pauses of about 15 ms in total, it fails with
    /// [`SessionError::Revoked`]. Opaque tokens cannot have a chosen id ([`SessionError::Token`]).
    ///
    /// After [`SessionError::Unavailable`], the session may or may not have been created. One
    /// attempt to delete it runs in the background, and deletes only what this call wrote. If that
    /// fails too, repeated calls fail with `Taken` until the session expires, or until
    /// [`Sessions::destroy`](crate::Sessions::destroy) ends it.
    ///
    /// Redis: `GET` if there is an owner, then as [`Session::create`]. The record carries a nonce
    /// from the [`id_generator`](crate::config::SessionsBuilder::id_generator).
    ///
    /// ```
    /// # use jwt_redis_session::{Keyring, MemoryStore, SessionError, SessionId, Sessions};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
    /// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
    /// let id = SessionId::parse("order-2024-000017")?;
    /// sessions.new_session().create().id(id.clone()).await?;
    ///
    /// let again = sessions.new_session().create().id(id).await;
    /// assert_eq!(again.unwrap_err(), SessionError::Taken);
    /// # Ok(())
    /// # }
    /// ```
    pub fn id(mut self, id: SessionId) -> Self {
        self.id = Some(id);
        self
    }

    /// Creates the session without a token, and returns its id instead.
    ///
    /// Needs no key ring, and signs nothing. Ignores [`claims`](Self::claims). Open the session
    /// with [`Sessions::get`](crate::Sessions::get).
    ///
    /// # Errors
    ///
    /// As [`Session::create`], without the errors of the token. [`SessionError::Taken`] if the
    /// chosen [`id`](Self::id) is in use.
    pub async fn without_token(self) -> Result<SessionId, SessionError> {
        Ok(store(self.session, self.id, None).await?.id)
    }
}

impl fmt::Debug for CreateSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreateSession({:?}, {:?})", self.session, self.id)
    }
}

impl IntoFuture for CreateSession {
    type Output = Result<Token>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let created = store(self.session, self.id, Some(self.claims?)).await?;
            created.token.ok_or(SessionError::NoTokens)
        })
    }
}

/// Stores the changes of a handle as a new session, with a token if there are `claims`.
async fn store(
    session: Session,
    id: Option<SessionId>,
    claims: Option<Map<String, Value>>,
) -> Result<Created> {
    let inner = Arc::clone(&session.0);
    let create = async move || {
        // Taken inside the operation lock, so that changes which an earlier operation of this
        // handle is storing are not stored twice.
        let pending = inner.pending();
        let record = pending.new_record(&inner.lifecycle)?;
        let lifecycle = &inner.lifecycle;
        let created = match id {
            Some(id) => lifecycle.create_with_id(id, record, claims).await?,
            None => lifecycle.create(record, claims).await?,
        };
        Ok(inner.activate(created, &pending))
    };
    session.complete("create", create).await
}
