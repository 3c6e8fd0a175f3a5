//! State of a session.

use crate::error::SessionError;
use crate::id::SessionId;
use crate::store::StoreError;
use crate::token::Claims;
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

/// [`SessionState`] with the data that operations need.
pub(crate) enum Status {
    Absent {
        unsearched: Option<UnsearchedBody>,
    },
    Active {
        id: SessionId,
        claims: Option<Claims>,
    },
    Rejected {
        reason: TokenRejection,
        /// The session that the token names, if the token is valid.
        id: Option<SessionId>,
    },
    Unavailable {
        error: StoreError,
        /// The session that the token names.
        id: Option<SessionId>,
    },
    Gone,
}

impl Status {
    pub(crate) fn state(&self) -> SessionState {
        match self {
            Self::Absent { unsearched } => SessionState::Absent {
                unsearched: *unsearched,
            },
            Self::Active { .. } => SessionState::Active,
            Self::Rejected { reason, .. } => SessionState::Rejected(*reason),
            Self::Unavailable { error, .. } => SessionState::Unavailable(error.clone()),
            Self::Gone => SessionState::Gone,
        }
    }

    /// The id and the claims of an active session.
    ///
    /// # Errors
    ///
    /// Why there is no active session.
    pub(crate) fn active(&self) -> Result<(&SessionId, Option<&Claims>), SessionError> {
        match self {
            Self::Active { id, claims } => Ok((id, claims.as_ref())),
            Self::Absent { .. } => Err(SessionError::Absent),
            Self::Rejected { reason, .. } => Err(SessionError::Rejected(*reason)),
            Self::Unavailable { error, .. } => Err(SessionError::Unavailable(error.clone())),
            Self::Gone => Err(SessionError::Gone),
        }
    }
}
