//! Errors of operations on sessions.
//!
//! Operations fail with a [`SessionError`]. For data that cannot be read or written,
//! [`source`](std::error::Error::source) returns the cause, a [`JsonError`]. For an outage,
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

use crate::store::StoreError;
use crate::token::TokenError;
use crate::token_rejection::TokenRejection;

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
/// | 500 | all others, which are errors of the program |
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError {
    /// The request carries no token, and the operation needs a session.
    #[error("there is no session: the request carries no token")]
    Absent,
    /// The token of the request does not identify a usable session.
    #[error("there is no session: the token was rejected ({0})")]
    Rejected(TokenRejection),
    /// The session has been destroyed, rotated or has expired since this handle loaded or created
    /// it. Nothing was written.
    #[error("the session is gone: it was destroyed, rotated or has expired")]
    Gone,
    /// Every attempt lost the race against another writer. Nothing was written.
    #[error("too many concurrent writes, the session was not changed; try again")]
    Conflict,
    /// Every attempt to create or to rotate coincided with a `destroy_all` of the owner, or with
    /// another login beyond `max_sessions`, which also ended the new session.
    #[error("all sessions of the owner were destroyed at the same time; try again")]
    Revoked,
    /// The owner has as many sessions as
    /// [`max_sessions`](crate::config::SessionsBuilder::max_sessions) allows, which refuses more.
    /// Nothing was changed.
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
    /// The session would exceed a limit of the configuration. Nothing was stored.
    #[error("the session would have {size} {unit}, more than the limit of {limit}")]
    #[non_exhaustive]
    TooLarge {
        /// The size that the session would have, in `unit`.
        size: usize,
        /// The configured limit, in `unit`.
        limit: usize,
        /// What `size` and `limit` count.
        unit: SizeUnit,
    },
    /// The store failed or did not answer. A write may or may not have been applied;
    /// [`reload`](crate::Session::reload) shows which.
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
    #[error("{} cannot be written", target(.field.as_deref()))]
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
    /// The keyspace does not end with a delimiter, so sessions of other keyspaces may begin with it.
    #[error(
        "keys of other keyspaces may begin with this keyspace; use one that ends with a \
         delimiter such as `:`"
    )]
    AmbiguousKeyspace,
    /// The sessions were built without a key ring, so that there are no tokens.
    #[error(
        "these sessions have no tokens; use `create().without_token()` or build with a key ring"
    )]
    NoTokens,
    /// A time to live is below a millisecond or above 100 years, a max age is not a whole number of
    /// seconds, or a grace is below a second or above 5 minutes.
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
    #[error("the operation was stopped before its end; it may or may not have been carried out")]
    Interrupted,
}

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

fn position(line: usize, column: usize) -> String {
    match line {
        0 => String::new(),
        line => format!(" at line {line} column {column}"),
    }
}

/// Unit of the size in [`SessionError::TooLarge`].
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

/// Cause of a [`Decode`](SessionError::Decode) or [`Encode`](SessionError::Encode) error: kind
/// and position, never data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{kind}{}", position(*.line, *.column))]
pub struct JsonError {
    kind: JsonErrorKind,
    line: usize,
    column: usize,
}

impl JsonError {
    /// Returns the kind of the error.
    #[must_use]
    pub const fn kind(&self) -> JsonErrorKind {
        self.kind
    }

    /// Returns the line in the JSON text, from 1; 0 if the position is unknown.
    #[must_use]
    pub const fn line(&self) -> usize {
        self.line
    }

    /// Returns the column in the line, from 1; 0 if the position is unknown.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }
}

impl From<JsonErrorKind> for JsonError {
    fn from(kind: JsonErrorKind) -> Self {
        let (line, column) = (0, 0);
        Self { kind, line, column }
    }
}

// The text of serde's error is dropped, because it quotes the value.
impl From<serde_json::Error> for JsonError {
    fn from(error: serde_json::Error) -> Self {
        use serde_json::error::Category;
        let kind = match error.classify() {
            Category::Data => JsonErrorKind::Type,
            Category::Syntax => JsonErrorKind::Syntax,
            Category::Eof => JsonErrorKind::Incomplete,
            Category::Io => JsonErrorKind::Io,
        };
        let (line, column) = (error.line(), error.column());
        Self { kind, line, column }
    }
}

/// Kind of a [`JsonError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// A value does not have the requested type, or is missing. On writing: the `Serialize`
    /// implementation of the value failed.
    #[error("a value does not fit its type")]
    Type,
    /// The text is not JSON, or contains a value that cannot be read, such as a lone surrogate or
    /// `1e400`.
    #[error("the text is not valid JSON")]
    Syntax,
    /// The text ends before the JSON value is complete.
    #[error("the JSON text ends too early")]
    Incomplete,
    /// Reading or writing failed.
    #[error("reading or writing failed")]
    Io,
    /// The field does not exist.
    #[error("the field does not exist")]
    Missing,
    /// A number is NaN or infinite.
    #[error("a number is NaN or infinite; use `Option` or text instead")]
    NotFinite,
    /// The value must be a JSON object.
    #[error("the value must be a JSON object, such as a struct or a map")]
    NotAnObject,
}
