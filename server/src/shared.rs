//! What all doors share.

use std::sync::Arc;
use std::time::Duration;

use jwt_redis_session::config::SessionsBuilder;
use jwt_redis_session::store::{SharedStore, StoreError};
use jwt_redis_session::{
    Keyring, MemoryStore, RedisConfig, RedisStore, Sessions, Touch,
    token::{KeyringError, TokenFormat},
};
use tokio::sync::Semaphore;

use crate::http::FailedAuthentications;
use crate::secret::Secret;
use crate::settings::{Settings, StoreSettings, TokenAlgorithm};

/// A read pushes a session's end back when this has passed since the last one, or a 16th of its
/// time to live: so the end that clients are told is true to the second, and most reads of a
/// session in use write nothing.
const TOUCH_AFTER: Duration = Duration::from_secs(1);

/// What all doors share: the settings, the store, the secrets.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: SharedStore,
    pub(crate) failures: FailedAuthentications,
    /// Room for connections.
    pub(crate) room: Arc<Semaphore>,
    /// The secret that is used, then those that were.
    secrets: Arc<[Secret]>,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Result<Self, StoreError> {
        let store: SharedStore = match redis(&settings.store)? {
            Some(redis) => redis.into(),
            None => MemoryStore::new().into(),
        };
        Ok(Self::with_store(settings, store))
    }

    /// The same for another thread, which reaches Redis over a connection of its own.
    pub(crate) fn for_another_thread(&self) -> Result<Self, StoreError> {
        let mut other = self.clone();
        if let Some(redis) = redis(&self.settings.store)? {
            other.store = redis.into();
        }
        Ok(other)
    }

    pub(crate) fn with_store(settings: Settings, store: SharedStore) -> Self {
        let current = settings.tokens.secret.clone();
        let mut secrets = vec![current.unwrap_or_else(Secret::random)];
        secrets.extend_from_slice(&settings.tokens.previous_secrets);
        Self {
            store,
            failures: FailedAuthentications::new(settings.limits.failed_authentications_per_minute),
            room: Arc::new(Semaphore::new(settings.http.max_connections)),
            secrets: secrets.into(),
            settings: Arc::new(settings),
        }
    }

    /// The secrets of the service: the one that is used first, then those that were.
    pub(crate) fn secrets(&self) -> &[Secret] {
        &self.secrets
    }

    /// The keys that sign and verify tokens.
    pub(crate) fn keyring(&self) -> Result<Keyring, KeyringError> {
        use jwt_redis_session::{
            Algorithm,
            token::{SigningKey, VerifyingKey},
        };
        let algorithm = match self.settings.tokens.algorithm {
            TokenAlgorithm::HS256 => Algorithm::Hs256,
            TokenAlgorithm::HS384 => Algorithm::Hs384,
            TokenAlgorithm::HS512 => Algorithm::Hs512,
        };
        let mut keyring = Keyring::builder(algorithm);
        for (age, secret) in self.secrets.iter().enumerate() {
            keyring = if age == 0 {
                keyring.signing(SigningKey::secret(secret.expose()))
            } else {
                keyring.previous(VerifyingKey::secret(secret.expose()))
            };
        }
        keyring.build()
    }

    /// Starts building the sessions under `part`, which live for `ttl` after their last use.
    pub(crate) fn sessions(
        &self,
        part: &str,
        tokens: impl Into<TokenFormat>,
        ttl: Duration,
    ) -> SessionsBuilder {
        self.configured(Sessions::builder(self.store.clone(), tokens), part, ttl)
    }

    /// As [`Shared::sessions`], for sessions that are addressed by id.
    pub(crate) fn sessions_without_tokens(&self, part: &str, ttl: Duration) -> SessionsBuilder {
        self.configured(Sessions::without_tokens(self.store.clone()), part, ttl)
    }

    fn configured(&self, builder: SessionsBuilder, part: &str, ttl: Duration) -> SessionsBuilder {
        builder
            .keyspace(self.keyspace(part))
            .max_age(ttl)
            .touch(Touch::After(TOUCH_AFTER.min(ttl / 16)))
    }

    /// The name that everything under `part` begins with in the store.
    pub(crate) fn keyspace(&self, part: &str) -> String {
        format!("{}{part}:", self.settings.store.keyspace)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        self.settings.http.body_timeout
    }
}

/// The Redis of the settings, if there is one; it is connected to when it is first needed.
fn redis(settings: &StoreSettings) -> Result<Option<RedisStore>, StoreError> {
    let Some(url) = &settings.redis else {
        return Ok(None);
    };
    // Half of the time for an answer leaves the other half for another try.
    let half = settings.deadline / 2;
    let config = RedisConfig::new(url.expose())
        .deadline(settings.deadline)
        .response_timeout(half)
        .connect_timeout(half);
    config.lazy().map(Some)
}
