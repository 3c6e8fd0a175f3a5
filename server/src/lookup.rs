//! What a look into the store has found.

use jwt_redis_session::{Rejection, Session, SessionError};

/// Makes `None` of a record that is not there; what went wrong stays an error.
pub(crate) fn found(
    looked: Result<Session, SessionError>,
) -> Result<Option<Session>, SessionError> {
    match looked {
        Ok(session) => Ok(Some(session)),
        Err(SessionError::Rejected(Rejection::Unknown | Rejection::Expired)) => Ok(None),
        Err(error) => Err(error),
    }
}
