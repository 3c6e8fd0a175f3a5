//! Errors at startup.

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::store::StoreError;
use jwt_redis_session::token::KeyringError;

use crate::settings::{SettingsError, SettingsErrors};

/// Error returned if the service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The store answers, but the settings do not fit it.
    #[error("store.redis: {0}")]
    Store(String),
    /// The file of the store cannot be used.
    #[error("store.file: {0}")]
    File(#[source] StoreError),
    /// The URL of the store or a file cannot be used.
    #[error(transparent)]
    Settings(#[from] SettingsErrors),
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

impl From<SettingsError> for StartError {
    fn from(error: SettingsError) -> Self {
        Self::Settings(error.into())
    }
}

/// The settings that the error is about.
impl From<StartError> for SettingsErrors {
    fn from(error: StartError) -> Self {
        match error {
            StartError::Settings(errors) => errors,
            error => {
                let text = error.to_string();
                let (setting, problem) = text.split_once(": ").unwrap_or(("settings", &text));
                SettingsError::new(setting, problem).into()
            }
        }
    }
}
