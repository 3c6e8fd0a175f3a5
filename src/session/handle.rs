//! Reading and changing a session through its handle.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::clock::{from_unix_millis, from_unix_seconds};
use crate::error::SessionError;
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Loaded, Remaining};
use crate::record::SessionData;
use crate::session::access::Access;
use crate::session::inner::{Inner, SessionState, State};
use crate::session::lifetime_change::LifetimeChange;
use crate::session::snapshot::OwnerChange;
use crate::token::Claims;

/// Handle of a request to its session.
///
/// Every request has a handle, even without a session; [`Session::state`] returns which is the
/// case. Reading and changing data does not contact the store. **Only the operations store
/// anything** ([`create`](Self::create), [`update`](Self::update), …). If the last clone is dropped
/// with changes, they are lost, and a `tracing` event at the level WARN reports how many fields
/// changed.
///
/// Clones share one state. `Debug` prints no token, no id and no data.
#[derive(Clone, Debug)]
pub struct Session(pub(super) Arc<Inner>);

impl Session {
    /// Creates a handle. `id` is the session that the token names, if the token is valid.
    pub(crate) fn new(
        lifecycle: &Arc<Lifecycle>,
        session: SessionState,
        id: Option<SessionId>,
    ) -> Self {
        let state = State {
            session,
            id,
            claims: None,
            data: SessionData::default(),
            owner: OwnerChange::default(),
            lifetime: LifetimeChange::default(),
            device: None,
            access: Access::default(),
            remaining: Remaining::new(None, 0),
            evicted: Vec::new(),
            failure_reported: false,
        };
        Self::of(lifecycle, state)
    }

    /// Creates a handle of the session `id`, or of the one that `id` led to.
    pub(crate) fn active(
        lifecycle: &Arc<Lifecycle>,
        id: SessionId,
        claims: Option<Claims>,
        loaded: Loaded,
    ) -> Self {
        let state = State {
            session: SessionState::Active,
            id: Some(loaded.new_id.unwrap_or(id)),
            claims,
            data: loaded.record.into(),
            owner: OwnerChange::default(),
            lifetime: LifetimeChange::default(),
            device: None,
            access: Access::default(),
            remaining: loaded.remaining,
            evicted: Vec::new(),
            failure_reported: false,
        };
        Self::of(lifecycle, state)
    }

    // Inlined, so that the state is built where it stays.
    #[inline(always)]
    fn of(lifecycle: &Arc<Lifecycle>, state: State) -> Self {
        Self(Arc::new(Inner {
            lifecycle: Arc::clone(lifecycle),
            operation: tokio::sync::Mutex::const_new(()),
            state: Mutex::new(state),
        }))
    }

    /// Returns the state of the session.
    #[must_use]
    pub fn state(&self) -> SessionState {
        self.state_read().session.clone()
    }

    /// Returns whether there is a session.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.state() == SessionState::Active
    }

    /// Returns whether this handle has changes that are not stored: fields, the owner, the lifetime
    /// or the device.
    #[must_use]
    pub fn is_modified(&self) -> bool {
        self.0.lock().is_modified()
    }

    /// Returns the id of the session, if there is one.
    #[must_use]
    pub fn id(&self) -> Option<SessionId> {
        self.data_read().active().ok().cloned()
    }

    /// Returns the verified claims of the token, if there is a session and its token is a JWT.
    #[must_use]
    pub fn claims(&self) -> Option<Claims> {
        let state = self.data_read();
        state.active().ok()?;
        state.claims.clone()
    }

    /// Returns when the session was created; `None` if there is none or it was created by Node.
    #[must_use]
    pub fn created_at(&self) -> Option<SystemTime> {
        from_unix_seconds(self.state_read().data.record.as_ref()?.meta.created?)
    }

    /// Returns when the session ends if it is not used; `None` if there is none or it does not
    /// expire.
    ///
    /// Computed locally from the time to live last seen by this handle; does not contact the
    /// store.
    #[must_use]
    pub fn expires_at(&self) -> Option<SystemTime> {
        let state = self.state_read();
        state.active().ok()?;
        let end = self.0.lifecycle.end(state.data.record.as_ref()?);
        from_unix_millis(state.remaining.expires(end)?)
    }

    /// Returns when the session ends at the latest, even if it is used; `None` if there is none or
    /// it has no absolute lifetime.
    #[must_use]
    pub fn absolute_expiry(&self) -> Option<SystemTime> {
        let state = self.state_read();
        from_unix_seconds(self.0.lifecycle.end(state.data.record.as_ref()?)?)
    }

    /// Returns how long the session lives from now if it is not used; `None` if there is none or it
    /// does not expire.
    ///
    /// Computed locally from the time to live last seen by this handle; does not contact the
    /// store. After [`Sessions::get_without_touch`](crate::Sessions::get_without_touch) it is the
    /// time to live in the store, which that call does not extend.
    #[must_use]
    pub fn remaining(&self) -> Option<Duration> {
        let state = self.state_read();
        state.active().ok()?;
        state.remaining.at(self.0.lifecycle.now_millis())
    }

    /// Returns the field `key` as a `T`; see [`SessionData::get`].
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the value is not a `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, SessionError> {
        self.read(|data| data.get(key))
    }

    /// Returns the JSON text of the field `key`, exactly as it is stored; see
    /// [`SessionData::get_text`].
    #[must_use]
    pub fn get_text(&self, key: &str) -> Option<String> {
        self.read(|data| data.get_text(key).map(ToOwned::to_owned))
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
        self.change().data.insert(key, value)
    }

    /// Removes the field `key` in this handle and returns whether there was one.
    #[allow(clippy::must_use_candidate, reason = "called for its effect")]
    pub fn remove(&self, key: &str) -> bool {
        // The result says whether there was such a field, so the response may depend on it.
        drop(self.state_read());
        self.change().data.remove(key)
    }

    /// Removes every field in this handle.
    pub fn clear(&self) {
        self.change().data.clear();
    }

    /// Returns whether the field `key` exists.
    #[must_use]
    pub fn contains_key(&self, key: &str) -> bool {
        self.read(|data| data.contains_key(key))
    }

    /// Returns the names of all fields.
    #[must_use]
    pub fn keys(&self) -> Vec<String> {
        self.read(SessionData::keys)
    }

    /// Returns all fields as one value, for example a struct.
    ///
    /// # Errors
    ///
    /// [`SessionError::Decode`] if the fields do not make a `T`; see [`SessionData::data`].
    pub fn data<T: DeserializeOwned>(&self) -> Result<T, SessionError> {
        self.read(SessionData::data)
    }

    /// Sets the fields of `data` that differ from what was loaded; see [`SessionData::merge`].
    ///
    /// # Errors
    ///
    /// [`SessionError::ReservedField`], [`SessionError::Encode`].
    pub fn merge(&self, data: impl Serialize) -> Result<(), SessionError> {
        self.change().data.merge(data)
    }

    /// Returns all fields as a JSON object; see [`SessionData::to_json`].
    #[must_use]
    pub fn to_json(&self) -> Value {
        self.read(SessionData::to_json)
    }

    /// Returns all fields as the text of a JSON object, every value exactly as it is stored; see
    /// [`SessionData::to_text`].
    #[must_use]
    pub fn to_text(&self) -> String {
        self.read(SessionData::to_text)
    }

    /// Takes the uses of the session by the request so far.
    pub(crate) fn take_access(&self) -> Access {
        std::mem::take(&mut self.0.lock().access)
    }

    /// Returns the seconds until the absolute end of the session, if it has one.
    #[cfg(feature = "cookie")]
    pub(crate) fn seconds_left(&self) -> Option<i64> {
        let state = self.0.lock();
        let end = self.0.lifecycle.end(state.data.record.as_ref()?)?;
        Some(end.saturating_sub(self.0.lifecycle.now()))
    }

    /// Returns whether the session has its own idle time.
    #[cfg(feature = "cookie")]
    pub(crate) fn has_own_max_age(&self) -> bool {
        let state = self.0.lock();
        let record = state.data.record.as_ref();
        record.is_some_and(|record| record.meta.max_age.is_some())
    }

    /// Returns a copy of the data, which shares the loaded fields.
    #[cfg(feature = "axum")]
    pub(crate) fn snapshot(&self) -> SessionData {
        self.read(SessionData::clone)
    }

    /// Returns the state, for reading. Records that the response depends on the session.
    pub(super) fn state_read(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock();
        state.access.state_read = true;
        state
    }

    /// Returns the state, for reading data. Records that the response may contain it.
    pub(super) fn data_read(&self) -> MutexGuard<'_, State> {
        let mut state = self.state_read();
        state.access.data_read = true;
        state
    }

    /// Returns the state, for a change that has to be stored.
    pub(super) fn change(&self) -> MutexGuard<'_, State> {
        let mut state = self.0.lock();
        // An error reported before does not cover this change.
        state.failure_reported = false;
        state
    }

    fn read<R>(&self, f: impl FnOnce(&SessionData) -> R) -> R {
        f(&self.data_read().data)
    }
}
