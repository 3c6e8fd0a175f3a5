//! Why the service cannot start.

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::store::StoreError;
use jwt_redis_session::token::KeyringError;

/// Why the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store's configuration is wrong.
    #[error("store.redis: {0}")]
    Store(#[from] StoreError),
    /// The secret cannot be used.
    #[error("tokens.secret: {0}")]
    Keyring(#[from] KeyringError),
    /// A time to live cannot be used.
    #[error("session_ttl: {0}")]
    Sessions(#[from] ConfigError),
    /// The operating system refuses a thread or a socket.
    #[error("the system refuses a thread or a socket: {0}")]
    Io(#[from] std::io::Error),
}
