//! Errors of operations on sessions.
//!
//! Operations return a [`SessionError`]. If data cannot be read or written,
//! [`source`](std::error::Error::source) returns the cause, a [`JsonError`]. In an outage,
//! [`Unavailable`](SessionError::Unavailable) contains the [`StoreError`].
//!
//! ```
//! use std::error::Error as _;
//! use jwt_redis_session::SessionData;
//! use jwt_redis_session::error::{JsonError, JsonErrorKind};
//!
//! let mut data = SessionData::default();
//! data.insert("age", "forty")?;
//! let error = data.get::<u8>("age").unwrap_err();
//! assert_eq!(error.to_string(), "the session field `age` does not have the requested type");
//!
//! let cause: &JsonError = error.source().unwrap().downcast_ref().unwrap();
//! assert_eq!((cause.kind(), cause.line()), (JsonErrorKind::Type, 1));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::fmt;

use crate::error_debug::debug_with_message;
use crate::store::StoreError;
use crate::token::TokenError;
use crate::token_rejection::TokenRejection;

pub use crate::json_error::{JsonError, JsonErrorKind};

/// Result of internal functions.
pub(crate) type Result<T, E = SessionError> = std::result::Result<T, E>;

/// Error returned by the operations on a session.
///
/// No message contains a token, a secret, an id or session data. With the feature `axum`, it
/// converts to a response:
///
/// | status | errors |
/// |---|---|
/// | 401 | [`Absent`](Self::Absent), [`Rejected`](Self::Rejected), [`Gone`](Self::Gone) |
/// | 400 | [`Rejected`](Self::Rejected) as [`Ambiguous`](TokenRejection::Ambiguous) |
/// | 409 | [`Conflict`](Self::Conflict), [`Revoked`](Self::Revoked), [`Taken`](Self::Taken), [`TooManySessions`](Self::TooManySessions) |
/// | 413 | [`TooLarge`](Self::TooLarge) |
/// | 503 with `Retry-After` | [`Unavailable`](Self::Unavailable) |
/// | 500 | all others, which are errors of the application |
///
/// ```
/// use jwt_redis_session::{Session, SessionError};
///
/// async fn set_theme(session: Session, theme: &str) -> Result<(), SessionError> {
///     session.insert("theme", theme)?;
///     match session.update().await {
///         // The visitor has no session yet.
///         Err(SessionError::Absent) => session.create().await.map(drop),
///         other => other,
///     }
/// }
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The request carries no token, and the operation needs a session.
    #[error("there is no session: the request carries no token; call `create` or `login` first")]
    Absent,
    /// The token of the request does not identify a usable session. The user has to log in again.
    #[error("there is no session: the token was rejected ({0})")]
    Rejected(TokenRejection),
    /// The session was destroyed or rotated, or has expired, since this handle loaded or created
    /// it. Nothing was written. The user has to log in again.
    #[error("the session is gone: it was destroyed or rotated, or has expired; log in again")]
    Gone,
    /// Every attempt lost the race against another writer. Nothing was written, and the handle
    /// keeps its changes: repeat the operation.
    #[error("too many concurrent writes, the session was not changed; try again")]
    Conflict,
    /// Every attempt to create or to rotate coincided with a `destroy_all` of the owner, or with
    /// another login beyond `max_sessions`, which also ended the new session. Repeat the operation
    /// if the user should be logged in.
    #[error("all sessions of the owner were destroyed at the same time; try again")]
    Revoked,
    /// The owner has as many sessions as
    /// [`max_sessions`](crate::config::SessionsBuilder::max_sessions) allows, and
    /// [`Evict::Refuse`](crate::config::Evict::Refuse) refuses another one. Nothing was changed.
    #[error("the owner has {limit} sessions, which is the limit; end one of them first")]
    #[non_exhaustive]
    TooManySessions {
        /// The configured limit.
        limit: usize,
    },
    /// A session with the chosen id exists already, or the id generator repeats ids. The existing
    /// session was not changed.
    #[error("a session with this id exists already; choose another id or destroy it first")]
    Taken,
    /// The session would exceed [`max_size`](crate::config::SessionsBuilder::max_size) or
    /// [`max_fields`](crate::config::SessionsBuilder::max_fields). Nothing was stored.
    #[error(
        "the session would have {size} {unit}, more than the limit of {limit}; store less data \
         or raise the limit"
    )]
    #[non_exhaustive]
    TooLarge {
        /// The size that the session would have, in `unit`.
        size: usize,
        /// The configured limit, in `unit`.
        limit: usize,
        /// What `size` and `limit` count.
        unit: SizeUnit,
    },
    /// The store failed or did not answer: answer 503, never "not logged in". A write may or may
    /// not have been applied; [`reload`](crate::Session::reload) shows which.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
    /// The stored value is not a valid session record. It was not changed;
    /// [`destroy`](crate::Session::destroy) deletes it.
    #[error("the session's record is corrupt; destroy the session to remove it")]
    Corrupt,
    /// A stored value does not have the requested type.
    #[error("{} does not have the requested type", target(.field.as_deref()))]
    #[non_exhaustive]
    Decode {
        /// The field, if the error is known to be in one.
        field: Option<String>,
        /// Kind and position of the error.
        source: JsonError,
    },
    /// A value cannot be written as JSON.
    #[error("{} cannot be written as JSON", target(.field.as_deref()))]
    #[non_exhaustive]
    Encode {
        /// The field, if the error is known to be in one.
        field: Option<String>,
        /// Kind of the error.
        source: JsonError,
    },
    /// The field names `_jrs`, `id`, `jwt` and `claims` are reserved.
    #[error("the session field `{0}` is reserved; use another name")]
    ReservedField(String),
    /// The owner is empty or longer than 512 bytes.
    #[error("the owner is empty or too long; use 1 to 512 bytes of UTF-8")]
    InvalidOwner,
    /// The session has no owner, and the operation concerns the owner's sessions.
    #[error("the session has no owner; call `set_owner` before `create`")]
    NoOwner,
    /// The keyspace does not end with a delimiter, so sessions of other keyspaces may begin with
    /// it.
    #[error(
        "keys of other keyspaces may begin with this keyspace; use one that ends with a \
         delimiter such as `:`"
    )]
    AmbiguousKeyspace,
    /// The sessions were built without a key ring, so they have no tokens.
    #[error(
        "these sessions have no tokens; use `create().without_token()` or build with a key ring"
    )]
    NoTokens,
    /// A duration is out of range: a time to live has 1 millisecond to 100 years, a max age whole
    /// seconds, a grace 1 second to 5 minutes.
    #[error(
        "the duration is out of range; use 1 millisecond to 100 years for a time to live, whole \
         seconds for the max age of a session, 1 second to 5 minutes for a grace"
    )]
    InvalidDuration,
    /// The token could not be issued.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The task that ran the operation was stopped by a shutdown of the runtime or by a panic. The
    /// operation may or may not have been applied.
    #[error("the operation was interrupted and may or may not have been applied; reload to see")]
    Interrupted,
}

debug_with_message!(
    SessionError: Absent, Rejected, Gone, Conflict, Revoked, TooManySessions, Taken, TooLarge,
    Unavailable, Corrupt, Decode, Encode, ReservedField, InvalidOwner, NoOwner, AmbiguousKeyspace,
    NoTokens, InvalidDuration, Token, Interrupted;
    source: source in Self::Decode { source, .. } | Self::Encode { source, .. }
);

impl SessionError {
    /// Creates the error for a field that a session must have and does not have.
    #[must_use]
    pub fn missing_field(field: impl Into<String>) -> Self {
        Self::decode(Some(field.into()), JsonErrorKind::Missing)
    }

    /// Creates the error for a session that would exceed `limit`.
    #[must_use]
    pub const fn too_large(size: usize, limit: usize, unit: SizeUnit) -> Self {
        Self::TooLarge { size, limit, unit }
    }

    pub(crate) fn decode(field: Option<String>, source: impl Into<JsonError>) -> Self {
        let source = source.into();
        Self::Decode { field, source }
    }

    pub(crate) fn encode(field: Option<String>, source: impl Into<JsonError>) -> Self {
        let source = source.into();
        Self::Encode { field, source }
    }
}

/// Returns the subject of an error message: the field, or all data.
fn target(field: Option<&str>) -> String {
    match field {
        Some(field) => format!("the session field `{field}`"),
        None => "the session data as a whole".to_owned(),
    }
}

/// Unit of the size in [`SessionError::TooLarge`].
///
/// ```
/// use jwt_redis_session::SessionError;
/// use jwt_redis_session::error::SizeUnit;
///
/// let error = SessionError::too_large(1001, 1000, SizeUnit::Fields);
/// assert_eq!(
///     error.to_string(),
///     "the session would have 1001 fields, more than the limit of 1000; store less data or raise \
///      the limit",
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SizeUnit {
    /// Bytes of JSON; see [`max_size`](crate::config::SessionsBuilder::max_size).
    Bytes,
    /// Top-level fields; see [`max_fields`](crate::config::SessionsBuilder::max_fields).
    Fields,
}

impl fmt::Display for SizeUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Bytes => "bytes",
            Self::Fields => "fields",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::StoreErrorKind;
    use crate::token::KeyringError;

    /// What `unwrap` prints, and a `main` that returns the error.
    #[test]
    fn debug_has_the_message_and_the_kind() {
        let store = StoreError::new(StoreErrorKind::Auth).with_detail("127.0.0.1:6379");
        for (printed, expected) in [
            (
                format!("{store:?}"),
                r#"StoreError { kind: Auth, message: "the session store rejected the credentials; check user and password (127.0.0.1:6379)" }"#,
            ),
            (
                format!("{:?}", SessionError::from(store)),
                r#"SessionError { kind: Unavailable, message: "the session store rejected the credentials; check user and password (127.0.0.1:6379)" }"#,
            ),
            (
                format!("{:?}", SessionError::missing_field("age")),
                r#"SessionError { kind: Decode, message: "the session field `age` does not have the requested type", source: JsonError { kind: Missing, line: 0, column: 0 } }"#,
            ),
            (
                format!("{:?}", KeyringError::NoKey),
                r#"KeyringError { kind: NoKey, message: "the key ring is empty; add a signing key" }"#,
            ),
            (
                format!("{:?}", "RSA".parse::<crate::Algorithm>().unwrap_err()),
                r#"UnknownAlgorithm { message: "unknown algorithm; use one of HS256, HS384, HS512, RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA" }"#,
            ),
        ] {
            assert_eq!(printed, expected);
        }
    }
}
