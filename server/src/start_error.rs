//! Errors at startup.

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::store::StoreError;
use jwt_redis_session::token::KeyringError;

use crate::settings::SettingsError;

/// Error returned if the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The URL or the credentials of the store cannot be used.
    #[error("store.redis: {0}")]
    Store(#[from] StoreError),
    /// The file of the store cannot be used.
    #[error("store.file: {0}")]
    File(#[source] StoreError),
    /// A file that a setting names cannot be read.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The signing secret cannot be used.
    #[error("tokens.secret: {0}")]
    Keyring(#[from] KeyringError),
    /// A time to live cannot be used.
    #[error("session_ttl: {0}")]
    Sessions(#[from] ConfigError),
    /// A thread or a socket cannot be created.
    #[error("cannot create a thread or a socket: {0}")]
    Io(#[from] std::io::Error),
}
