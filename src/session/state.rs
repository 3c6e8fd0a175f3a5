//! The public state of a handle.

use crate::error::SessionError;
use crate::store::StoreError;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// State of the session of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SessionState {
    /// The request carries no token, as far as it was searched.
    Absent {
        /// Why the body was not searched for a token, if it should have been.
        unsearched: Option<UnsearchedBody>,
    },
    /// The token names a session that exists.
    Active,
    /// The token gives no session.
    Rejected(TokenRejection),
    /// The store did not answer, so that it is unknown whether there is a session.
    Unavailable(StoreError),
    /// The session existed when the request began and has ended since.
    Gone,
}

impl SessionState {
    /// Returns why an operation that needs a session fails.
    pub(crate) fn error(&self) -> Option<SessionError> {
        match self {
            Self::Active => None,
            Self::Absent { .. } => Some(SessionError::Absent),
            Self::Rejected(reason) => Some(SessionError::Rejected(*reason)),
            Self::Unavailable(error) => Some(SessionError::Unavailable(error.clone())),
            Self::Gone => Some(SessionError::Gone),
        }
    }
}
