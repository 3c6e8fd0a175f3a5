//! What a look into the store has found.

use jwt_redis_session::{Session, SessionError, TokenRejection};

/// Makes `None` of a record that is not there; what went wrong stays an error.
pub(crate) fn found(
    looked: Result<Session, SessionError>,
) -> Result<Option<Session>, SessionError> {
    match looked {
        Ok(session) => Ok(Some(session)),
        Err(SessionError::Rejected(TokenRejection::Unknown | TokenRejection::Expired)) => Ok(None),
        Err(error) => Err(error),
    }
}
