//! Why a request body was not searched for a token.

use std::fmt;

/// Reason why a request body was not searched for a token.
///
/// The request then counts as one without a token: its state is
/// [`SessionState::Absent`](crate::SessionState::Absent), which carries this reason. The body
/// reaches the handler unchanged, so a handler with other limits decides what to do with it.
///
/// ```
/// use jwt_redis_session::{Session, SessionState};
///
/// async fn log_unsearched(session: Session) {
///     if let SessionState::Absent { unsearched: Some(reason), .. } = session.state() {
///         tracing::info!(reason = reason.as_str(), "the body was not searched for a token");
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UnsearchedBody {
    /// The body is longer than the limit for the search.
    TooLarge,
    /// The body did not arrive within the deadline for the search.
    TimedOut,
    /// The body is not the JSON that its `Content-Type` declares.
    Malformed,
    /// Reading the body failed.
    ReadFailed,
}

impl UnsearchedBody {
    /// Returns the reason in `snake_case`, as in logs and metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "too_large",
            Self::TimedOut => "timed_out",
            Self::Malformed => "malformed",
            Self::ReadFailed => "read_failed",
        }
    }
}

impl fmt::Display for UnsearchedBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
