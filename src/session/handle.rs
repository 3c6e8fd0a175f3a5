//! Handle of a request to its session, and its state.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use crate::clock::{from_unix_millis, from_unix_seconds};
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
/// Every request has a handle, even without a session; [`Session::state`] returns whether there is
/// one. Reading and changing data does not contact the store. **Only operations write to the
/// store**, such as [`create`](Self::create) and [`update`](Self::update). If the last clone is
/// dropped with unstored changes, they are lost, and a `tracing` event at the level WARN reports
/// how many fields changed.
///
/// Clones share one state. `Debug` prints no token, no id and no data.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, SessionError, Sessions};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// // The request of a login. In axum, the handle is an argument of the handler.
/// let session = sessions.new_session();
/// session.insert("theme", "dark")?;
/// let token = session.login("jo").await?;
///
/// // A later request, with this token.
/// let session = sessions.open(token.as_str()).await?;
/// assert_eq!(session.owner().as_deref(), Some("jo"));
/// assert_eq!(session.get("theme")?, Some("dark".to_owned()));
///
/// session.insert("theme", "light")?;
/// session.remove("cart");
/// session.update().await?; // stores both changes
///
/// let visits = session
///     .update_with(|data| {
///         let visits = data.get("visits")?.unwrap_or(0) + 1;
///         data.insert("visits", visits)?;
///         Ok::<_, SessionError>(visits) // no concurrent visit is lost
///     })
///     .await?;
/// assert_eq!(visits, 1);
///
/// session.reload().await?; // what other requests have stored
/// session.rotate().await?; // a new token, after a change of privileges
///
/// for entry in session.list().await? {
///     println!("created {:?}, this one: {}", entry.created_at(), entry.is_current());
/// }
/// session.destroy_others().await?;
/// session.logout().await?;
/// assert!(!session.is_active());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Session(pub(super) Arc<Inner>);

/// # State
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

    /// Creates a handle of the session `id`, or of the session to which `id` redirected.
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

    // Inlined, so that the state is built in its final place instead of being moved there.
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

    /// Returns whether the session has its own max age.
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

    pub(super) fn read<R>(&self, f: impl FnOnce(&SessionData) -> R) -> R {
        f(&self.data_read().data)
    }
}
