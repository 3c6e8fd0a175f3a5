//! Configuration from environment variables. An error begins with the name of the variable.

use std::env::{self, VarError};
use std::fmt::Display;
use std::num::NonZeroU64;
use std::str::FromStr;
use std::time::Duration;

use jwt_redis_session::store::Store as _;
use jwt_redis_session::{Algorithm, Keyring, Lifetime, MemoryStore, RedisStore, Sessions};
use tracing_subscriber::EnvFilter;

pub(crate) struct Config {
    pub(crate) listen: String,
    pub(crate) sessions: Sessions,
    pub(crate) lazy: bool,
}

impl Config {
    pub(crate) fn from_env() -> Result<Self, String> {
        Ok(Self {
            listen: variable("LISTEN")?.unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
            sessions: sessions()?,
            lazy: variable::<u8>("LAZY")? == Some(1),
        })
    }
}

fn sessions() -> Result<Sessions, String> {
    let seconds = |name| Ok::<_, String>(variable::<NonZeroU64>(name)?.map(NonZeroU64::get));
    let idle = Duration::from_secs(seconds("MAX_AGE")?.unwrap_or(86_400));
    let absolute = seconds("ABSOLUTE_LIFETIME")?.map(Duration::from_secs);
    let lifetime = match absolute {
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

fn variable<T: FromStr<Err: Display>>(name: &str) -> Result<Option<T>, String> {
    match env::var(name) {
        Ok(value) => match value.parse() {
            Ok(value) => Ok(Some(value)),
            Err(error) => Err(format!("{name}: {error}")),
        },
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(format!("{name}: not UTF-8")),
    }
}
