//! State that all APIs share.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jwt_redis_session::config::SessionsBuilder;
use jwt_redis_session::store::{FileStore, SharedStore};
use jwt_redis_session::token::TokenFormat;
use jwt_redis_session::{Keyring, MemoryStore, RedisStore, Sessions, Touch};
use tokio::sync::Semaphore;

use crate::http::FailedAuthentications;
use crate::open_files;
use crate::redis_store;
use crate::secret::Secret;
use crate::settings::Settings;
use crate::start_error::StartError;
use crate::token_keys;

/// A read refreshes the TTL of a session at most once per second (or per 16th of the TTL, if that
/// is less). The expiry that clients see is exact to the second, and most reads write nothing.
const TOUCH_AFTER: Duration = Duration::from_secs(1);

/// The largest number of connections on the address for operators, where health checks must not
/// wait for the clients of the APIs.
const OPERATOR_CONNECTIONS: usize = 100;

/// State that all APIs share: the settings, the store, the secrets.
#[derive(Clone)]
pub(crate) struct AppState {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: SharedStore,
    /// The same store, if it is Redis.
    pub(crate) redis: Option<RedisStore>,
    pub(crate) failures: Arc<FailedAuthentications>,
    /// The number of permits of [`connection_limit`](Self::connection_limit).
    pub(crate) max_connections: usize,
    /// Limits the connections served concurrently.
    pub(crate) connection_limit: Arc<Semaphore>,
    /// As [`connection_limit`](Self::connection_limit), on the address for operators.
    pub(crate) operator_limit: Arc<Semaphore>,
    /// Whether shutdown has begun.
    pub(crate) is_stopping: Arc<AtomicBool>,
    /// The current secret, then the previous ones.
    pub(crate) secrets: Arc<[Secret]>,
    /// Signs and verifies RPC tokens.
    pub(crate) keyring: Keyring,
}

impl AppState {
    /// Builds the state on the configured store. Connects to Redis on first use, and opens a file.
    pub(crate) fn new(settings: Settings) -> Result<Self, StartError> {
        Self::unopened(settings)?.open()
    }

    /// As [`new`](Self::new), but without the file: before [`open`](Self::open), the store is in
    /// memory in its place.
    pub(crate) fn unopened(settings: Settings) -> Result<Self, StartError> {
        let redis = redis_store::lazy(&settings.store)?;
        let store: SharedStore = match &redis {
            Some(redis) => redis.clone().into(),
            None => MemoryStore::new().into(),
        };
        let state = Self::with_store(settings, store)?;
        Ok(Self { redis, ..state })
    }

    /// Opens the file of the sessions, if there is one. Creates it if it does not exist.
    pub(crate) fn open(mut self) -> Result<Self, StartError> {
        if let Some(file) = &self.settings.store.file {
            let store = FileStore::open(file).map_err(StartError::File)?;
            let store = store.with_deadline(self.settings.store.deadline);
            self.store = store.into();
        }
        Ok(self)
    }

    pub(crate) fn with_store(settings: Settings, store: SharedStore) -> Result<Self, StartError> {
        // Without a secret each start draws another one. Validation allows that only in memory,
        // where the sessions end with the process too.
        let secrets = secrets(&settings, Secret::random);
        let limit = settings.limits.failed_authentications_per_minute;
        let max_connections = open_files::connections(settings.http.max_connections);
        Ok(Self {
            store,
            redis: None,
            failures: Arc::new(FailedAuthentications::new(limit)),
            max_connections,
            connection_limit: Arc::new(Semaphore::new(max_connections)),
            operator_limit: Arc::new(Semaphore::new(OPERATOR_CONNECTIONS)),
            is_stopping: Arc::default(),
            keyring: token_keys::keyring(&settings.tokens, &secrets)?,
            secrets: secrets.into(),
            settings: Arc::new(settings),
        })
    }

    /// Returns the same state with other settings, and with new connections to Redis. A random
    /// secret stays the same.
    pub(crate) fn with_settings(&self, settings: Settings) -> Result<Self, StartError> {
        let secrets = secrets(&settings, || self.secrets[0].clone());
        let changed = Self {
            keyring: token_keys::keyring(&settings.tokens, &secrets)?,
            secrets: secrets.into(),
            settings: Arc::new(settings),
            ..self.clone()
        };
        changed.for_another_thread()
    }

    /// Returns the same state with another connection to Redis, for another thread.
    pub(crate) fn for_another_thread(&self) -> Result<Self, StartError> {
        let mut other = self.clone();
        if let Some(redis) = redis_store::lazy(&self.settings.store)? {
            other.store = redis.clone().into();
            other.redis = Some(redis);
        }
        Ok(other)
    }

    /// Starts building the sessions of the keyspace `part`, with the max age `ttl`. Without
    /// `tokens` they are addressed by id.
    pub(crate) fn sessions(
        &self,
        part: &str,
        tokens: Option<TokenFormat>,
        ttl: Duration,
    ) -> SessionsBuilder {
        let store = self.store.clone();
        let builder = match tokens {
            Some(tokens) => Sessions::builder(store, tokens),
            None => Sessions::without_tokens(store),
        };
        builder
            .keyspace(self.keyspace(part))
            .max_age(ttl)
            .touch(Touch::After(TOUCH_AFTER.min(ttl / 16)))
    }

    /// Returns the prefix of the keys of `part` in the store.
    pub(crate) fn keyspace(&self, part: &str) -> String {
        format!("{}{part}:", self.settings.store.keyspace)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        self.settings.http.body_timeout
    }
}

/// Returns the current secret, then the previous ones.
fn secrets(settings: &Settings, default: impl FnOnce() -> Secret) -> Vec<Secret> {
    let current = settings.tokens.secret.clone();
    let mut secrets = vec![current.unwrap_or_else(default)];
    secrets.extend_from_slice(&settings.tokens.previous_secrets);
    secrets
}
