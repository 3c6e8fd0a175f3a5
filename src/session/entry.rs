//! One session in a list.

use std::time::SystemTime;

use crate::clock::{from_unix_millis, from_unix_seconds};
use crate::id::SessionId;
use crate::lifecycle::{Lifecycle, Loaded};
use crate::record::SessionData;

/// Session in a list of an owner's sessions, as it was when the list was read.
#[derive(Clone, Debug)]
pub struct SessionEntry {
    id: SessionId,
    created: Option<SystemTime>,
    expires: Option<SystemTime>,
    absolute_expiry: Option<SystemTime>,
    data: Option<SessionData>,
}

impl SessionEntry {
    pub(super) fn new(
        lifecycle: &Lifecycle,
        id: SessionId,
        Loaded {
            record, remaining, ..
        }: Loaded,
        with_data: bool,
    ) -> Self {
        let end = lifecycle.end(&record);
        Self {
            id,
            created: record.meta.created.and_then(from_unix_seconds),
            expires: remaining.expires(end).and_then(from_unix_millis),
            absolute_expiry: end.and_then(from_unix_seconds),
            data: with_data.then(|| record.into()),
        }
    }

    /// Returns the id of the session.
    #[must_use]
    pub const fn id(&self) -> &SessionId {
        &self.id
    }

    /// Returns when the session was created; `None` if it was created by Node.
    #[must_use]
    pub const fn created_at(&self) -> Option<SystemTime> {
        self.created
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
