//! Behavior of a login beyond the limit of sessions.

/// Behavior of a login beyond the limit of [`max_sessions`].
///
/// [`max_sessions`]: crate::config::SessionsBuilder::max_sessions
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Evict {
    /// The login succeeds, and the sessions of the owner that were not used for the longest time
    /// end. The order is as precise as [`SessionEntry::last_used_at`](crate::SessionEntry::last_used_at).
    LeastRecentlyUsed,
    /// The login fails with [`SessionError::TooManySessions`](crate::SessionError::TooManySessions),
    /// and the sessions of the owner stay.
    Refuse,
}
