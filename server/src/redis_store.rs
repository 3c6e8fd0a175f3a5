//! The configured Redis.

use std::io;
use std::path::PathBuf;

use jwt_redis_session::store::Cache;
use jwt_redis_session::{RedisConfig, RedisStore};

use crate::settings::{SettingsError, SettingsErrors, StoreSettings, read_file, without_newline};

/// Returns a store for the configured Redis, if there is one. It connects on first use.
///
/// Errors: the URL is invalid, or files cannot be read now.
pub(crate) fn lazy(settings: &StoreSettings) -> Result<Option<RedisStore>, SettingsErrors> {
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
    let mut errors = SettingsErrors::default();
    let config = with_credentials(config, settings, &mut errors);
    let config = with_certificates(config, settings, &mut errors);
    let store = config.lazy();
    let store = errors.take(store.map_err(|error| SettingsError::new("store.redis", error)));
    errors.or(store)
}

fn with_credentials(
    mut config: RedisConfig,
    settings: &StoreSettings,
    errors: &mut SettingsErrors,
) -> RedisConfig {
    if let Some(password) = &settings.sentinel_password {
        let user = settings.sentinel_user.clone().unwrap_or_default();
        config = config.sentinel_credentials(user, password.expose());
    }
    let user = settings.user.clone().unwrap_or_default();
    if let Some(file) = &settings.password_file {
        errors.take(read_file("store.password_file", file));
        let file = file.clone();
        return config.credentials_provider(move || read_again(user.clone(), file.clone()));
    }
    match &settings.password {
        Some(password) => config.credentials(user, password.expose()),
        None => config,
    }
}

/// Reads the password for a new connection. It may have changed since the last one.
async fn read_again(user: String, file: PathBuf) -> io::Result<(String, String)> {
    let text = tokio::fs::read_to_string(file).await?;
    Ok((user, without_newline(&text).to_owned()))
}

fn with_certificates(
    mut config: RedisConfig,
    settings: &StoreSettings,
    errors: &mut SettingsErrors,
) -> RedisConfig {
    if let Some(file) = &settings.ca_file
        && let Some(ca) = errors.take(read_file("store.ca_file", file))
    {
        config = config.root_certificate(ca);
    }
    if let (Some(chain), Some(key)) = (&settings.certificate_file, &settings.key_file) {
        let chain = errors.take(read_file("store.certificate_file", chain));
        let key = errors.take(read_file("store.key_file", key));
        if let (Some(chain), Some(key)) = (chain, key) {
            config = config.client_certificate(chain, key);
        }
    }
    config
}
