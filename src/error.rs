//! Why an operation on a session did not do what it was asked.

use crate::store::StoreError;
use crate::token::TokenError;
use crate::token_rejection::TokenRejection;

/// Why an operation on a session did not do what it was asked.
///
/// No text of it holds a token, a secret, an id or session data. With the feature `axum` it is a
/// response: 401 without a session, 409 for [`Conflict`](Self::Conflict) and
/// [`Taken`](Self::Taken), 413 for [`TooLarge`](Self::TooLarge), 503 with `Retry-After` for [`Unavailable`](Self::Unavailable),
/// and 500 for mistakes of the program.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The request carries no token, and the operation needs a session.
    #[error("there is no session: the request carries no token")]
    Absent,
    /// The request carries a token that gives no session.
    #[error("there is no session: the token was rejected ({0})")]
    Rejected(TokenRejection),
    /// The session existed for this caller and no longer does: destroyed, rotated or expired.
    /// Nothing was written.
    #[error("the session is gone: it was destroyed, rotated or has expired meanwhile")]
    Gone,
    /// Others changed the session at the same time, again and again; nothing was written.
    #[error("the session was changed by others at the same time; try again")]
    Conflict,
    /// Every attempt met a concurrent `destroy_all` of the owner; there is no new session.
    #[error("all sessions of the owner were destroyed at the same time; try again")]
    Revoked,
    /// A session with the id that the caller chose exists already; it was left as it is.
    #[error("a session with this id exists already; it was left as it is")]
    Taken,
    /// The session would be larger than the limit; nothing was sent to the store.
    #[error("the session would take {size} bytes, more than the limit of {limit}")]
    TooLarge {
        /// What it would take, in bytes of JSON.
        size: usize,
        /// The limit that was configured.
        limit: usize,
    },
    /// The store did not answer or refused. A write may or may not have been applied;
    /// [`reload`](crate::Session::reload) shows the truth.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// The record in the store is not a session's; it was left as it is.
    #[error("the session's record is corrupt; it was left as it is")]
    Corrupt,
    /// A stored value does not have the type that was asked for.
    #[error("the session data `{key}` does not have the type that was asked for")]
    Decode {
        /// The field, or nothing for the data as a whole.
        key: String,
    },
    /// A value cannot be stored.
    #[error(
        "the value for the session data `{key}` cannot be written as JSON (whole data must be an object)"
    )]
    Encode {
        /// The field, or nothing for the data as a whole.
        key: String,
    },
    /// The field's name is not free: `_jrs`, `id`, `jwt` and `claims` are reserved.
    #[error("the session field `{0}` is reserved; use another name")]
    ReservedField(String),
    /// An owner is 1 to 512 bytes of UTF-8.
    #[error("an owner is 1 to 512 bytes of UTF-8")]
    InvalidOwner,
    /// The session has no owner, and the operation concerns the owner's sessions.
    #[error("the session has no owner; call `set_owner` before `create`")]
    NoOwner,
    /// A time to live is at least a millisecond and at most 100 years.
    #[error("a time to live is at least a millisecond and at most 100 years")]
    InvalidDuration,
    /// The token could not be issued.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The task that ran the operation was stopped, because the runtime shuts down or it
    /// panicked; whether it was carried out is unknown.
    #[error("the operation was stopped before its end")]
    Interrupted,
}

impl SessionError {
    /// The error of an operation whose last attempt failed: `revoked` if each of them met a
    /// `destroy_all`.
    pub(crate) const fn lost(revoked: bool) -> Self {
        if revoked {
            Self::Revoked
        } else {
            Self::Conflict
        }
    }

    pub(crate) fn decode(key: &str) -> Self {
        Self::Decode {
            key: key.to_owned(),
        }
    }

    pub(crate) fn encode(key: &str) -> Self {
        Self::Encode {
            key: key.to_owned(),
        }
    }
}
