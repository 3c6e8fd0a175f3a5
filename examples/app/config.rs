//! Configuration from environment variables. An error begins with the name of the variable.

use std::fmt::Display;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use jwt_redis_session::config::ConfigError;
use jwt_redis_session::store::{Cache, SharedStore, Store as _};
use jwt_redis_session::{Lifetime, MemoryStore, RedisConfig, RedisStore, Sessions};
use tracing_subscriber::EnvFilter;

use crate::keys;

/// Returns sessions for each kind of key, and the path in front of their routes. They differ in
/// their tokens only.
pub(crate) fn sessions() -> Result<Vec<(&'static str, Sessions)>, String> {
    let lifetime = lifetime()?;
    let hmac = keys::hmac()?;
    let store = store()?;
    let keyspace = variable("KEYSPACE")?.unwrap_or_else(|| "sess:".to_owned());
    let keyrings = [("", hmac)].into_iter().chain(keys::asymmetric());
    let sessions = keyrings.map(|(path, keyring)| {
        // An npm app on the same database may have a keyspace without a delimiter, such as `sess`.
        let builder = Sessions::builder(store.clone(), keyring);
        let builder = builder.keyspace_without_delimiter(keyspace.clone());
        Ok((path, builder.lifetime(lifetime).build()?))
    });
    let sessions: Result<_, ConfigError> = sessions.collect();
    sessions.map_err(|error| format!("MAX_AGE or ABSOLUTE_LIFETIME: {error}"))
}

fn lifetime() -> Result<Lifetime, String> {
    let seconds = |seconds: NonZeroU64| Duration::from_secs(seconds.get());
    let idle = variable("MAX_AGE")?.map_or(Duration::from_secs(86_400), seconds);
    Ok(match variable("ABSOLUTE_LIFETIME")?.map(seconds) {
        Some(absolute) => Lifetime::Both { idle, absolute },
        None => Lifetime::Idle(idle),
    })
}

fn store() -> Result<SharedStore, String> {
    let max_staleness = variable("CACHE_MAX_STALENESS")?.map(Duration::from_millis);
    Ok(match variable::<String>("REDIS_URL")? {
        Some(url) => redis(&url, max_staleness)?.into(),
        None => {
            eprintln!("REDIS_URL is not set: sessions are kept in memory, until the app ends");
            MemoryStore::new().into()
        }
    })
}

/// Starts without waiting for Redis, and warns if it is not reachable.
fn redis(url: &str, max_staleness: Option<Duration>) -> Result<RedisStore, String> {
    let mut config = RedisConfig::new(url);
    if let Some(max_staleness) = max_staleness {
        config = config.cache(Cache::new().max_staleness(max_staleness));
    }
    let store = config.lazy();
    let store = store.map_err(|error| format!("REDIS_URL: {error}"))?;
    let probe = store.clone();
    tokio::spawn(async move {
        if let Err(error) = probe.ping().await {
            eprintln!("Redis is not reachable, sessions answer 503 until it is: {error}");
        }
    });
    Ok(store)
}

/// Sends logs to stderr.
pub(crate) fn logging() -> Result<(), String> {
    let filter = variable("RUST_LOG")?.unwrap_or_else(|| EnvFilter::new("info"));
    let format = tracing_subscriber::fmt().with_env_filter(filter);
    format.with_writer(std::io::stderr).init();
    Ok(())
}

pub(crate) fn variable<T: FromStr<Err: Display>>(name: &str) -> Result<Option<T>, String> {
    let Some(value) = std::env::var_os(name) else {
        return Ok(None);
    };
    let value = value.to_str().ok_or_else(|| format!("{name}: not UTF-8"))?;
    let value = value.parse().map_err(|error| format!("{name}: {error}"))?;
    Ok(Some(value))
}
