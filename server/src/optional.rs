//! Distinguishes a session that does not exist from one that could not be loaded.

use jwt_redis_session::{Session, SessionError, TokenRejection};

/// Returns `None` for a session that does not exist.
pub(crate) fn optional(
    loaded: Result<Session, SessionError>,
) -> Result<Option<Session>, SessionError> {
    match loaded {
        Err(SessionError::Rejected(TokenRejection::Unknown | TokenRejection::Expired)) => Ok(None),
        loaded => loaded.map(Some),
    }
}
