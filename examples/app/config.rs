//! Configuration from environment variables. An error begins with the name of the variable.

use std::fmt::Display;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use jwt_redis_session::{Algorithm, Keyring, Lifetime, MemoryStore, RedisStore, Sessions};
use tracing_subscriber::EnvFilter;

pub(crate) fn sessions() -> Result<Sessions, String> {
    let seconds = |seconds: NonZeroU64| Duration::from_secs(seconds.get());
    let idle = variable("MAX_AGE")?.map_or(Duration::from_secs(86_400), seconds);
    let lifetime = match variable("ABSOLUTE_LIFETIME")?.map(seconds) {
        Some(absolute) => Lifetime::Both { idle, absolute },
        None => Lifetime::Idle(idle),
    };
    let keyring = keyring()?;
    let builder = match variable::<String>("REDIS_URL")? {
        Some(url) => Sessions::builder(redis(&url)?, keyring),
        None => {
            eprintln!("REDIS_URL is not set: sessions are kept in memory, until the app ends");
            Sessions::builder(MemoryStore::new(), keyring)
        }
    };
    let keyspace = variable("KEYSPACE")?.unwrap_or_else(|| "sess:".to_owned());
    // An npm app on the same database may have a keyspace without a delimiter, such as `sess`.
    let builder = builder.keyspace_without_delimiter(keyspace);
    let sessions = builder.lifetime(lifetime).build();
    sessions.map_err(|error| format!("MAX_AGE or ABSOLUTE_LIFETIME: {error}"))
}

/// A real app rejects weak secrets, as this does. To share one that npm uses already, see
/// `Key::allowing_weak_secret_for_npm`.
fn keyring() -> Result<Keyring, String> {
    let algorithm = variable("JWT_ALGORITHM")?.unwrap_or(Algorithm::Hs256);
    let secret = match variable::<String>("JWT_SECRET")? {
        Some(secret) => secret.into_bytes(),
        None => {
            eprintln!("JWT_SECRET is not set: a random one is used, until the app ends");
            let mut secret = vec![0; 64];
            getrandom::fill(&mut secret).expect("the operating system has random numbers");
            secret
        }
    };
    let keyring = Keyring::hmac(algorithm, secret);
    keyring.map_err(|error| format!("JWT_SECRET or JWT_ALGORITHM: {error}"))
}

/// Starts without waiting for Redis, and warns if it is not reachable.
fn redis(url: &str) -> Result<RedisStore, String> {
    let store = RedisStore::lazy(url).map_err(|error| format!("REDIS_URL: {error}"))?;
    let probe = store.clone();
    tokio::spawn(async move {
        if let Err(error) = probe.connection().await {
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
