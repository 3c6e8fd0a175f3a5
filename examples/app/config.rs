//! Configuration from environment variables.

use std::env::{self, VarError};
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use jwt_redis_session::token::KeyringError;
use jwt_redis_session::{Algorithm, Keyring, Lifetime, MemoryStore, RedisStore, Sessions};
use tracing_subscriber::EnvFilter;

pub(crate) struct Config {
    pub(crate) listen: String,
    redis_url: Option<String>,
    jwt_secret: Option<String>,
    jwt_algorithm: Algorithm,
    keyspace: String,
    max_age: Duration,
    absolute_lifetime: Option<Duration>,
    pub(crate) lazy: bool,
}

impl Config {
    pub(crate) fn from_env() -> Result<Self, Wrong> {
        Ok(Self {
            listen: var("LISTEN")?.unwrap_or_else(|| "127.0.0.1:3000".to_owned()),
            redis_url: var("REDIS_URL")?,
            jwt_secret: var("JWT_SECRET")?,
            jwt_algorithm: algorithm("JWT_ALGORITHM")?,
            keyspace: var("KEYSPACE")?.unwrap_or_else(|| "sess:".to_owned()),
            max_age: seconds("MAX_AGE")?.unwrap_or(Duration::from_secs(86_400)),
            absolute_lifetime: seconds("ABSOLUTE_LIFETIME")?,
            lazy: flag("LAZY")?,
        })
    }

    pub(crate) fn sessions(&self) -> Result<Sessions, Wrong> {
        let keyring = self.keyring()?;
        let builder = match &self.redis_url {
            Some(url) => Sessions::builder(redis(url)?, keyring),
            None => Sessions::builder(MemoryStore::new(), keyring),
        };
        let lifetime = match self.absolute_lifetime {
            Some(absolute) => Lifetime::Both {
                idle: self.max_age,
                absolute,
            },
            None => Lifetime::Idle(self.max_age),
        };
        // An npm app on the same database may have a keyspace without a delimiter, such as `sess`.
        let builder = builder.keyspace_without_delimiter(&*self.keyspace);
        // What is left to be wrong is a time to live.
        builder
            .lifetime(lifetime)
            .build()
            .map_err(|error| Wrong::new("MAX_AGE or ABSOLUTE_LIFETIME", error))
    }

    /// Warns about settings that no deployment should have.
    pub(crate) fn announce(&self) {
        if self.redis_url.is_none() {
            eprintln!("REDIS_URL is not set: sessions are kept in memory, until the app ends");
        }
        if self.jwt_secret.is_none() {
            eprintln!("JWT_SECRET is not set: a random one is used, until the app ends");
        }
    }

    fn keyring(&self) -> Result<Keyring, Wrong> {
        let keyring = match &self.jwt_secret {
            Some(secret) => Keyring::hmac(self.jwt_algorithm, secret),
            None => Keyring::hmac(self.jwt_algorithm, random_secret()),
        };
        keyring.map_err(|error| {
            let hint = match error {
                KeyringError::WeakSecret { .. } => {
                    "; to share one that npm uses already, \
                     use Key::allowing_weak_secret_for_npm in examples/app/config.rs"
                }
                _ => "",
            };
            Wrong::new("JWT_SECRET", format!("{error}{hint}"))
        })
    }
}

/// Starts without waiting for Redis, and warns if it is not reachable.
fn redis(url: &str) -> Result<RedisStore, Wrong> {
    let store = RedisStore::lazy(url).map_err(|error| Wrong::new("REDIS_URL", error))?;
    let probe = store.clone();
    tokio::spawn(async move {
        if let Err(error) = probe.connection().await {
            eprintln!("Redis is not there yet, sessions answer 503 until it is: {error}");
        }
    });
    Ok(store)
}

fn random_secret() -> [u8; 64] {
    let mut secret = [0; 64];
    getrandom::fill(&mut secret).expect("the operating system has random numbers");
    secret
}

/// Sends logs to stderr.
pub(crate) fn logging() -> Result<(), Wrong> {
    let filter = var("RUST_LOG")?.unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(filter).map_err(|error| Wrong::new("RUST_LOG", error))?;
    let format = tracing_subscriber::fmt().with_env_filter(filter);
    format.with_writer(std::io::stderr).init();
    Ok(())
}

fn var(name: &'static str) -> Result<Option<String>, Wrong> {
    match env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Wrong::new(name, "is not UTF-8")),
    }
}

fn seconds(name: &'static str) -> Result<Option<Duration>, Wrong> {
    let Some(value) = var(name)? else {
        return Ok(None);
    };
    match u64::from_str(&value) {
        Ok(seconds) if seconds > 0 => Ok(Some(Duration::from_secs(seconds))),
        _ => Err(Wrong::new(
            name,
            format!("{value:?} is not a number of seconds above 0"),
        )),
    }
}

fn flag(name: &'static str) -> Result<bool, Wrong> {
    match var(name)?.as_deref() {
        None | Some("0") => Ok(false),
        Some("1") => Ok(true),
        Some(other) => Err(Wrong::new(name, format!("{other:?} is not 0 or 1"))),
    }
}

fn algorithm(name: &'static str) -> Result<Algorithm, Wrong> {
    match var(name)?.as_deref() {
        None | Some("HS256") => Ok(Algorithm::Hs256),
        Some("HS384") => Ok(Algorithm::Hs384),
        Some("HS512") => Ok(Algorithm::Hs512),
        Some(other) => Err(Wrong::new(
            name,
            format!("{other:?} is not HS256, HS384 or HS512"),
        )),
    }
}

/// A variable, and what is wrong with it.
#[derive(Debug)]
pub(crate) struct Wrong {
    variable: &'static str,
    problem: String,
}

impl Wrong {
    pub(crate) fn new(variable: &'static str, problem: impl fmt::Display) -> Self {
        Self {
            variable,
            problem: problem.to_string(),
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}
