//! One session in a list.

use std::sync::Arc;
use std::time::SystemTime;

use crate::clock::{from_unix_millis, from_unix_seconds};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Loaded};
use crate::record::{Device, SessionData};

/// Session in a list of an owner's sessions, as it was when the list was read.
///
/// ```
/// # use jwt_redis_session::{Session, SessionError};
/// # async fn doc(session: Session) -> Result<(), SessionError> {
/// for entry in session.list().await? {
///     let name = entry.device().and_then(|device| device.name.as_deref());
///     println!("{}, last used {:?}", name.unwrap_or("unknown device"), entry.last_used_at());
///     println!("id for a button that ends it: {}", entry.id().as_str());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct SessionEntry {
    id: SessionId,
    is_current: bool,
    created: Option<SystemTime>,
    last_used: Option<SystemTime>,
    expires: Option<SystemTime>,
    absolute_expiry: Option<SystemTime>,
    device: Option<Arc<Device>>,
    data: Option<SessionData>,
}

impl SessionEntry {
    pub(super) fn new(
        lifecycle: &Lifecycle,
        id: SessionId,
        loaded: Loaded,
        with_data: bool,
    ) -> Self {
        let last_used = lifecycle.last_used(&loaded);
        let Loaded {
            record, remaining, ..
        } = loaded;
        let end = lifecycle.end(&record);
        Self {
            id,
            is_current: false,
            created: record.meta.created.and_then(from_unix_seconds),
            last_used: last_used.and_then(from_unix_millis),
            expires: remaining.expires(end).and_then(from_unix_millis),
            absolute_expiry: end.and_then(from_unix_seconds),
            device: record.meta.device.clone(),
            data: with_data.then(|| record.into()),
        }
    }

    pub(super) const fn mark_current(&mut self) {
        self.is_current = true;
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns whether this is the session on which [`Session::list`](crate::Session::list) was
    /// called.
    ///
    /// Always `false` in a list by [`Sessions::list`](crate::Sessions::list).
    #[must_use]
    pub const fn is_current(&self) -> bool {
        self.is_current
    }

    /// Returns the device that was set with [`set_device`](crate::Session::set_device).
    #[must_use]
    pub fn device(&self) -> Option<&Device> {
        self.device.as_deref()
    }

    /// Returns when the session was created; `None` if it was created by Node.
    #[must_use]
    pub const fn created_at(&self) -> Option<SystemTime> {
        self.created
    }

    /// Returns when the session was last used; `None` if that is unknown.
    ///
    /// Computed as [`expires_at`](Self::expires_at) minus the max age, because a use resets the
    /// time to live; never before the creation. A use within the time of
    /// [`Touch::After`](crate::Touch::After) resets nothing, so the last use may be up to that much
    /// later: by default 1/16 of the max age, which is 90 minutes for a max age of 24 hours. With
    /// [`Touch::Never`](crate::Touch::Never) only writes and touches count as a use.
    ///
    /// Unknown without a max age, if the absolute end is less than the max age away, and after
    /// [`touch_for`](crate::Session::touch_for) with more than the max age. After `touch_for` with
    /// less than that, the returned time is too early.
    #[must_use]
    pub const fn last_used_at(&self) -> Option<SystemTime> {
        self.last_used
    }

    /// Returns when the session ends if it is not used; `None` if it does not expire.
    ///
    /// Computed from the time to live in the store and the clock of the application, so it is
    /// off by the difference between the clocks and by the time of the round trip.
    #[must_use]
    pub const fn expires_at(&self) -> Option<SystemTime> {
        self.expires
    }

    /// Returns when the session ends at the latest, even if it is used; `None` without an absolute
    /// lifetime.
    #[must_use]
    pub const fn absolute_expiry(&self) -> Option<SystemTime> {
        self.absolute_expiry
    }

    /// Returns the data of the session; `None` unless the list was made
    /// [`with_data`](super::ListSessions::with_data).
    #[must_use]
    pub const fn data(&self) -> Option<&SessionData> {
        self.data.as_ref()
    }
}
