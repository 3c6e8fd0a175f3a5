//! The state of a handle, and the lock of its operations.

use std::fmt;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Result, SessionError};
use crate::id::SessionId;
use crate::lifecycle::{Created, Edit, Lifecycle, Remaining};
use crate::record::{Changes, Record, SessionData};
use crate::session::access::{Access, TokenChange};
use crate::session::lifetime_change::LifetimeChange;
use crate::session::snapshot::{Current, DeviceChange, OwnerChange, Pending};
use crate::store::StoreError;
use crate::telemetry;
use crate::token::Claims;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// State of the session of a request.
///
/// ```
/// use jwt_redis_session::{Session, SessionState};
///
/// async fn greet(session: Session) -> &'static str {
///     match session.state() {
///         SessionState::Active => "Welcome back",
///         SessionState::Unavailable(_) => "Please try again later",
///         _ => "Please log in",
///     }
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// No token was found in the request.
    Absent {
        /// Why the body was not searched for a token, if it should have been.
        unsearched: Option<UnsearchedBody>,
    },
    /// The token names a session that exists.
    Active,
    /// The token was rejected, for the given reason.
    Rejected(TokenRejection),
    /// The store did not answer, so it is unknown whether there is a session.
    Unavailable(StoreError),
    /// The session existed when the request began and has ended since.
    Gone,
}

impl SessionState {
    /// Returns why an operation that needs a session fails, if it does.
    pub(crate) fn check_active(&self) -> Result<()> {
        Err(match self {
            Self::Active => return Ok(()),
            Self::Absent { .. } => SessionError::Absent,
            Self::Rejected(reason) => SessionError::Rejected(*reason),
            Self::Unavailable(error) => SessionError::Unavailable(error.clone()),
            Self::Gone => SessionError::Gone,
        })
    }
}

/// State that the clones of a handle share.
pub(crate) struct Inner {
    pub(crate) lifecycle: Arc<Lifecycle>,
    /// Held by an operation: the operations of one handle run one after the other.
    pub(super) operation: tokio::sync::Mutex<()>,
    /// Never held across an await.
    pub(super) state: Mutex<State>,
}

pub(crate) struct State {
    pub(crate) session: SessionState,
    /// The session that the token names, if the token is valid.
    pub(crate) id: Option<SessionId>,
    pub(crate) claims: Option<Claims>,
    pub(crate) data: SessionData,
    pub(crate) owner: OwnerChange,
    pub(crate) lifetime: LifetimeChange,
    pub(crate) device: DeviceChange,
    pub(crate) access: Access,
    /// The remaining time to live when this handle last read or wrote the record.
    pub(crate) remaining: Remaining,
    /// The sessions that the last operation has ended because of `max_sessions`.
    pub(crate) evicted: Vec<SessionId>,
    /// An operation that should have stored the changes has returned an error.
    pub(crate) failure_reported: bool,
}

impl Inner {
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a caller's `Serialize` leaves the state as it was, so it stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs an operation after those that are already running on this handle. Its error changes
    /// the state and is counted.
    pub(crate) async fn run<T, F: Future<Output = Result<T>>>(
        &self,
        name: &'static str,
        operation: impl FnOnce() -> F,
    ) -> Result<T> {
        // A touch during a rotation of the same handle would find the old id gone.
        let _lock = self.operation.lock().await;
        // Made here: as an argument, it would take its space twice.
        let result = operation().await;
        result.inspect_err(|error| self.failed(name, error))
    }

    /// Returns the active session.
    pub(crate) fn current(&self) -> Result<Current> {
        let mut state = self.lock();
        // Without a session the operation fails, and the response still depends on that.
        state.access.state_read = true;
        Ok(Current {
            id: state.active()?.clone(),
            claims: state.claims.clone(),
            record: state.data.record.clone().ok_or(SessionError::Gone)?,
            remaining: state.remaining,
        })
    }

    /// Returns what is left of the active session; `None` if a refresh is due, only the store can
    /// answer, or another operation of this handle is running.
    pub(crate) fn left_if_not_due(&self) -> Option<Duration> {
        let _lock = self.operation.try_lock().ok()?;
        let now = self.lifecycle.now_millis();
        let mut state = self.lock();
        state.active().ok()?;
        let record = state.data.record.as_ref()?;
        let kept = self
            .lifecycle
            .left_if_not_due(record, state.remaining, now)?;
        state.access.state_read = true;
        state.remaining = kept;
        kept.at(now)
    }

    /// Continues with the new id of the session `id`, after an operation on it has failed with
    /// `error`. Returns the error if a rotation with a grace was not the reason.
    ///
    /// Callers repeat the operation: it can fail in this way again only if another rotation has
    /// succeeded since.
    pub(crate) async fn follow(
        &self,
        operation: &'static str,
        id: &SessionId,
        error: SessionError,
    ) -> Result<Current> {
        let seen = self.lock().data.record.clone();
        let lifecycle = &self.lifecycle;
        // Boxed, because it is rare, and a future is moved until it runs.
        let following = Box::pin(lifecycle.follow_after(operation, id, seen.as_ref(), error));
        let loaded = following.await?;
        let mut state = self.lock();
        state.id = loaded.new_id;
        state.data.record = Some(loaded.record);
        state.remaining = loaded.remaining;
        drop(state);
        self.current()
    }

    /// Takes the changes to store. Later changes are left for the next operation.
    pub(crate) fn pending(&self) -> Pending {
        // Taken before the call of the store, so that the computed end is never too late.
        let began = self.lifecycle.now_millis();
        let mut state = self.lock();
        Pending {
            changes: Changes::take(&mut state.data.changes),
            owner: state.owner.clone(),
            lifetime: state.lifetime,
            configured: self.lifecycle.lifetime,
            authenticated: None,
            device: state.device.clone(),
            began,
            end: None,
        }
    }

    /// Returns the active session and takes the changes to store in it.
    pub(crate) fn current_and_pending(&self) -> Result<(Current, Pending)> {
        let current = self.current()?;
        // Checked before all fields are read, because the limit is there to save that cost.
        let field_count = self.lock().data.min_field_count();
        self.lifecycle.check_field_count(field_count)?;
        Ok((current, self.pending()))
    }

    /// Stores the result of `edit` as the record of the current session.
    pub(crate) async fn save(
        &self,
        current: &mut Current,
        pending: &Pending,
        edit: Edit<'_>,
    ) -> Result<()> {
        loop {
            let (id, seen) = (&current.id, current.record.clone());
            match self.lifecycle.save(id, seen, edit).await {
                Ok((record, ended)) => {
                    self.committed(record, pending, ended);
                    return Ok(());
                }
                // A redirect is a mismatch, not gone.
                Err(SessionError::Gone) => return Err(SessionError::Gone),
                Err(error) => *current = self.follow("update", &current.id, error).await?,
            }
        }
    }

    /// Replaces the loaded record by the stored one.
    fn committed(&self, record: Record, stored: &Pending, ended: Vec<SessionId>) {
        // The store has set the TTL at an unknown time after the operation began.
        let lifecycle = &self.lifecycle;
        let ttl = lifecycle.ttl_at(&record, stored.began);
        let remaining = Remaining::new(Some(ttl.unwrap_or_default()), stored.began);
        let mut state = self.lock();
        state.remaining = remaining;
        state.evicted = ended;
        state.data.committed(record, &stored.changes);
        // An owner that was set during the operation stays pending.
        if state.owner == stored.owner {
            state.owner = OwnerChange::Keep;
        }
        if state.lifetime == stored.lifetime {
            state.lifetime = LifetimeChange::default();
        }
        if state.device == stored.device {
            state.device = None;
        }
    }

    /// Makes the created session the active one of this handle.
    pub(crate) fn activate(&self, created: Created, stored: &Pending) -> Created {
        // Read back from the token, so that the handle reports what the next request will see.
        let claims = created.token.as_ref().and_then(|token| {
            let format = self.lifecycle.format.as_ref()?;
            let verified = format.identify(token.as_str(), self.lifecycle.clock.now(), false);
            verified.ok()?.claims
        });
        self.committed(created.record.clone(), stored, created.ended.clone());
        let mut state = self.lock();
        state.session = SessionState::Active;
        state.id = Some(created.id.clone());
        state.claims = claims;
        state.access.data_read = true;
        state.access.token = TokenChange::issued(created.token.as_ref());
        drop(state);
        created
    }

    fn failed(&self, operation: &'static str, error: &SessionError) {
        let mut state = self.lock();
        // The caller has learned that its changes are not stored: the drop does not warn again.
        state.failure_reported |= matches!(
            operation,
            "create"
                | "update"
                | "update_with"
                | "replace"
                | "rotate"
                | "login"
                | "reauthenticated"
        );
        match error {
            SessionError::Gone => state.session = SessionState::Gone,
            SessionError::Corrupt if state.session == SessionState::Active => {
                state.session = SessionState::Rejected(TokenRejection::Corrupt);
            }
            _ => {}
        }
        telemetry::failed(operation, error);
    }
}

impl State {
    /// Returns the id of the active session, or why there is none.
    pub(crate) fn active(&self) -> Result<&SessionId> {
        self.session.check_active()?;
        self.id.as_ref().ok_or(SessionError::Gone)
    }

    /// Records that an operation of the handle has ended the session.
    pub(crate) fn end(&mut self) {
        self.session = SessionState::Gone;
        self.access.token = TokenChange::Ended;
    }

    pub(crate) fn is_modified(&self) -> bool {
        self.data.changes.len() > 0
            || self.owner != OwnerChange::Keep
            || self.lifetime != LifetimeChange::default()
            || self.device.is_some()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let expected = state.failure_reported || state.session == SessionState::Gone;
        if state.is_modified() && !expected {
            let owner = state.owner != OwnerChange::Keep;
            let lifetime = state.lifetime != LifetimeChange::default();
            telemetry::dropped(state.data.changes.len(), owner, lifetime);
        }
    }
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        write!(f, "Session({:?}, {:?})", state.session, state.data)
    }
}
