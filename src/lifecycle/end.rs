//! Reasons for the end of a session.

use std::fmt;

/// Reason why a session ended; the output of [`Session::ended`](crate::Session::ended).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SessionEnd {
    /// The record was deleted for an unknown reason: by a logout, by another process, by
    /// hand, or by eviction.
    Destroyed,
    /// The session has a new id, by [`rotate`](crate::Session::rotate) or
    /// [`login`](crate::Session::login).
    ///
    /// Known if a clone of the same [`Sessions`](crate::Sessions) did it. Otherwise it is
    /// [`Destroyed`](Self::Destroyed). After a
    /// [rotation with a grace](crate::Session::rotate_with_grace), by any process, the wait goes on
    /// at the new id and reports this at the end of the grace.
    Rotated,
    /// The sessions of the owner were destroyed, all or all others.
    ///
    /// Known if a clone of the same [`Sessions`](crate::Sessions) did it. Otherwise it is
    /// [`Destroyed`](Self::Destroyed).
    LoggedOutEverywhere,
    /// A login of the owner exceeded
    /// [`max_sessions`](crate::config::SessionsBuilder::max_sessions).
    ///
    /// Known if a clone of the same [`Sessions`](crate::Sessions) did it. Otherwise it is
    /// [`Destroyed`](Self::Destroyed).
    Evicted,
    /// The time to live has passed.
    Expired,
    /// The store did not answer for too long; see
    /// [`unknown_after`](crate::session::Ended::unknown_after). The session may still exist.
    Unknown,
    /// The handle had no active session.
    Absent,
}

/// Prints the reason in words, such as `logged out everywhere`.
impl fmt::Display for SessionEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Destroyed => "destroyed",
            Self::Rotated => "rotated",
            Self::LoggedOutEverywhere => "logged out everywhere",
            Self::Evicted => "evicted by another login",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Absent => "absent",
        })
    }
}
