//! The handle of a request on its session.

use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::core::Engine;
use crate::lifecycle::load::Loaded;
use crate::record::data::{Changes, SessionData};
use crate::session::cell::{Cell, OwnerChange, Shared, Usage};
use crate::session::state::{SessionState, Status};
use crate::store::StoreError;
use crate::token::Claims;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// The handle of a request on its session.
///
/// Always there, whether or not the request has a session; [`Session::state`] tells. Reading and
/// changing data touches only the handle; the operations ([`create`](Self::create),
/// [`update`](Self::update), …) talk to the store, and nothing is stored without one of them.
/// Clones are the same handle. `Debug` prints no token, no id and no data.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, Sessions, SessionError};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
///
/// let session = sessions.new_session();
/// session.insert("user", "jo")?;
/// session.set_owner("jo");
/// let token = session.create().await?;
///
/// let again = sessions.open(token.as_str()).await?;
/// assert_eq!(again.get::<String>("user")?.as_deref(), Some("jo"));
/// assert!(session.destroy().await?);
/// assert_eq!(again.update().await, Err(SessionError::Gone));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Session(pub(super) Arc<Shared>);

impl Session {
    pub(crate) fn absent(engine: Arc<Engine>, unsearched: Option<UnsearchedBody>) -> Self {
        let status = Status::Absent { unsearched };
        Self::with(engine, status, SessionData::default())
    }

    pub(crate) fn active(
        engine: Arc<Engine>,
        id: SessionId,
        claims: Option<Claims>,
        loaded: Loaded,
    ) -> Self {
        let data = SessionData::new(Some(loaded.record), Changes::default());
        let session = Self::with(engine, Status::Active { id, claims }, data);
        session.0.lock().remaining = loaded.remaining;
        session
    }

    pub(crate) fn rejected(engine: Arc<Engine>, reason: TokenRejection, verified: bool) -> Self {
        Self::with(
            engine,
            Status::Rejected { reason, verified },
            SessionData::default(),
        )
    }

    pub(crate) fn unavailable(
        engine: Arc<Engine>,
        error: StoreError,
        id: Option<SessionId>,
    ) -> Self {
        Self::with(
            engine,
            Status::Unavailable { error, id },
            SessionData::default(),
        )
    }

    fn with(engine: Arc<Engine>, status: Status, data: SessionData) -> Self {
        Self(Arc::new(Shared::new(engine, status, data)))
    }

    /// How the request stands to its session.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.look().status.state()
    }

    /// Whether there is a session.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state() == SessionState::Active
    }

    /// The id of the session, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        Some(self.reveal().status.active().ok()?.0.clone())
    }

    /// The verified claims of the token, if there is a session and its token is a JWT.
    #[must_use]
    pub fn claims(&self) -> Option<Claims> {
        self.reveal().status.active().ok()?.1.cloned()
    }

    /// The owner: the one set on this handle, or else the one that is stored.
    #[must_use]
    pub fn owner(&self) -> Option<String> {
        let cell = self.reveal();
        match &cell.owner {
            OwnerChange::Set(owner) => Some(owner.to_string()),
            OwnerChange::Clear => None,
            OwnerChange::Keep => Some(
                cell.data
                    .record()?
                    .meta()
                    .owner
                    .as_ref()?
                    .as_str()
                    .to_owned(),
            ),
        }
    }

    /// When the session was created, in Unix seconds; `None` if there is none or it was created
    /// by Node.
    #[must_use]
    pub fn created_at(&self) -> Option<i64> {
        self.look().data.record()?.meta().created
    }

    /// When the session ends however much it is used, in Unix seconds; `None` if never.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.look().data.record()?.meta().expires
    }

    /// How long the session lives from now unless it is used, or `None` if there is none or it does
    /// not expire. Nobody is asked: what counts is what this handle saw when it read or wrote the
    /// session, and the clock since then. After [`Sessions::get_without_touch`](crate::Sessions::get_without_touch) it tells
    /// when a session ends without making it live longer.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let cell = self.look();
        cell.status.active().ok()?;
        cell.remaining.at(self.0.engine.now_millis())
    }

    /// Says whom the session belongs to: 1 to 512 bytes, for example a user's id. Takes effect
    /// with the next [`create`](Self::create), [`update`](Self::update) or
    /// [`rotate`](Self::rotate), which also report an owner that is not valid.
    pub fn set_owner(&self, owner: impl Into<Box<str>>) {
        self.0.lock().owner = OwnerChange::Set(owner.into());
    }

    /// Says that the session belongs to nobody; takes effect as [`set_owner`](Self::set_owner).
    pub fn clear_owner(&self) {
        self.0.lock().owner = OwnerChange::Clear;
    }

    /// Reads the field `key`; see [`SessionData::get`].
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.read(|data| data.get(key))
    }

    /// Reads the field `key` as the JSON that it is stored as; see [`SessionData::get_raw`].
    #[must_use]
    pub fn get_raw(&self, key: &str) -> Option<Box<RawValue>> {
        self.read(|data| data.get_raw(key).map(ToOwned::to_owned))
    }

    /// Sets the field `key` in this handle; see [`SessionData::insert`].
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`], [`SessionError::Encode`].
    pub fn insert(
        &self,
        key: impl Into<String>,
        value: impl Serialize,
    ) -> Result<(), SessionError> {
        self.0.lock().data.insert(key, value)
    }

    /// Removes the field `key` in this handle and tells whether there was one.
    #[allow(clippy::must_use_candidate)]
    pub fn remove(&self, key: &str) -> bool {
        self.look().data.remove(key)
    }

    /// Removes every field in this handle.
    pub fn clear(&self) {
        self.0.lock().data.clear();
    }

    /// Whether there is a field `key`.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.read(|data| data.contains_key(key))
    }

    /// The names of all fields.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.read(SessionData::keys)
    }

    /// Reads all fields as one value, for example a struct of your own.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the fields do not make a `T`.
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        self.read(SessionData::data)
    }

    /// Sets every field of `data` in this handle; see [`SessionData::merge`].
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`], [`SessionError::Encode`].
    pub fn merge(&self, data: impl Serialize) -> Result<(), SessionError> {
        self.0.lock().data.merge(data)
    }

    /// All fields as a JSON object; see [`SessionData::to_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.read(SessionData::to_json)
    }

    /// All fields as JSON text, to the letter; see [`SessionData::to_raw_json`].
    #[must_use]
    pub fn to_raw_json(&self) -> Box<RawValue> {
        self.read(SessionData::to_raw_json)
    }

    pub(crate) fn usage(&self) -> Usage {
        self.0.lock().usage
    }

    /// Notes that what the request does depends on its session.
    pub(super) fn look(&self) -> MutexGuard<'_, Cell> {
        let mut cell = self.0.lock();
        cell.usage.consulted = true;
        cell
    }

    fn read<R>(&self, f: impl FnOnce(&SessionData) -> R) -> R {
        f(&self.reveal().data)
    }

    /// Notes that the response may tell what the session holds.
    fn reveal(&self) -> MutexGuard<'_, Cell> {
        let mut cell = self.look();
        cell.usage.revealed = true;
        cell
    }
}
