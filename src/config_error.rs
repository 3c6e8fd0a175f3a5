//! Errors of a configuration of sessions.

#[cfg(doc)]
use crate::builder::SessionsBuilder;
use crate::error_debug::debug_with_message;
#[cfg(doc)]
use crate::lifecycle::Touch;

/// Error returned by [`SessionsBuilder::build`].
///
/// ```
/// use jwt_redis_session::config::ConfigError;
/// use jwt_redis_session::{MemoryStore, Sessions};
///
/// let built = Sessions::without_tokens(MemoryStore::new()).keyspace("shop").build();
/// assert_eq!(built.unwrap_err(), ConfigError::Keyspace);
/// ```
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// A duration of the lifetime is below a millisecond or above 100 years.
    #[error("the lifetime must be at least a millisecond and at most 100 years")]
    Lifetime,
    /// [`Touch::After`] is longer than the idle time.
    #[error(
        "`Touch::After` must not be longer than the idle time; \
         use a shorter time or `Touch::Never`"
    )]
    TouchAfter,
    /// The largest number of sessions is 0.
    #[error("`max_sessions` must be at least 1")]
    MaxSessions,
    /// The keyspace is empty or ends with a character that ids contain.
    #[error(
        "the keyspace must end with a delimiter such as `:`, \
         or be set with `keyspace_without_delimiter`"
    )]
    Keyspace,
}

debug_with_message!(ConfigError: Lifetime, TouchAfter, MaxSessions, Keyspace);
