//! The configured Redis.

use std::io;
use std::path::PathBuf;

use jwt_redis_session::store::Cache;
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::setting_file::{read, without_newline};
use crate::settings::{SettingsError, StoreSettings};
use crate::start_error::StartError;

/// Returns a store for the configured Redis, if there is one. It connects on first use.
///
/// Errors: the URL is invalid, or a file cannot be read now.
pub(crate) fn lazy(settings: &StoreSettings) -> Result<Option<RedisStore>, StartError> {
    let Some(url) = &settings.redis else {
        return Ok(None);
    };
    // Half of the deadline per response leaves the other half for another attempt.
    let half = settings.deadline / 2;
    let mut config = RedisConfig::new(url.expose())
        .deadline(settings.deadline)
        .response_timeout(half)
        .connect_timeout(half);
    if let Some(max_staleness) = settings.cache_max_staleness {
        config = config.cache(Cache::new().max_staleness(max_staleness));
    }
    let config = with_credentials(config, settings)?;
    let config = with_sentinel_credentials(config, settings)?;
    Ok(Some(with_certificates(config, settings)?.lazy()?))
}

fn with_credentials(
    config: RedisConfig,
    settings: &StoreSettings,
) -> Result<RedisConfig, SettingsError> {
    let user = settings.user.clone().unwrap_or_default();
    if let Some(file) = &settings.password_file {
        read("store.password_file", file)?;
        let file = file.clone();
        return Ok(config.credentials_provider(move || read_again(user.clone(), file.clone())));
    }
    Ok(match &settings.password {
        Some(password) => config.credentials(user, password.expose()),
        None => config,
    })
}

/// Reads the password for a new connection. It may have changed since the last one.
async fn read_again(user: String, file: PathBuf) -> io::Result<(String, String)> {
    let text = tokio::fs::read_to_string(file).await?;
    Ok((user, without_newline(&text).to_owned()))
}

fn with_sentinel_credentials(
    config: RedisConfig,
    settings: &StoreSettings,
) -> Result<RedisConfig, SettingsError> {
    let user = settings.sentinel_user.clone().unwrap_or_default();
    if let Some(file) = &settings.sentinel_password_file {
        let password = read("store.sentinel_password_file", file)?;
        return Ok(config.sentinel_credentials(user, without_newline(&password)));
    }
    Ok(match &settings.sentinel_password {
        Some(password) => config.sentinel_credentials(user, password.expose()),
        None => config,
    })
}

fn with_certificates(
    mut config: RedisConfig,
    settings: &StoreSettings,
) -> Result<RedisConfig, SettingsError> {
    if let Some(file) = &settings.ca_file {
        config = config.root_certificate(read("store.ca_file", file)?);
    }
    if let (Some(chain), Some(key)) = (&settings.certificate_file, &settings.key_file) {
        let chain = read("store.certificate_file", chain)?;
        config = config.client_certificate(chain, read("store.key_file", key)?);
    }
    Ok(config)
}
