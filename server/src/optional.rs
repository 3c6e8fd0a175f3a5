//! Distinguishes a session that does not exist from one that could not be loaded.

use jwt_redis_session::{Session, SessionError, TokenRejection};

/// Extension of a loaded session.
pub(crate) trait OptionalSession {
    /// Returns `None` for a session that does not exist.
    ///
    /// # Errors
    ///
    /// Every other error.
    fn optional(self) -> Result<Option<Session>, SessionError>;
}

impl OptionalSession for Result<Session, SessionError> {
    fn optional(self) -> Result<Option<Session>, SessionError> {
        match self {
            Ok(session) => Ok(Some(session)),
            Err(SessionError::Rejected(TokenRejection::Unknown | TokenRejection::Expired)) => {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }
}
