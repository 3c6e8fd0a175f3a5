//! What all doors share.

use std::sync::Arc;
use std::time::Duration;

use jwt_redis_session::store::{Store, StoreError};
use jwt_redis_session::{Keyring, KeyringError, MemoryStore, RedisConfig};

use crate::http::FailedAuthentications;
use crate::secret::Secret;
use crate::settings::{Settings, TokenAlgorithm};

/// What all doors share: the settings, the store, the secrets.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    pub(crate) settings: Arc<Settings>,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) failures: FailedAuthentications,
    /// The secret that is used, then those that were.
    secrets: Arc<[Secret]>,
}

impl Shared {
    pub(crate) fn new(settings: Settings) -> Result<Self, StoreError> {
        let store: Arc<dyn Store> = match &settings.store.redis {
            Some(url) => Arc::new(
                RedisConfig::new(url.expose())
                    .deadline(settings.store.deadline)
                    .lazy()?,
            ),
            None => Arc::new(MemoryStore::new()),
        };
        Ok(Self::with_store(settings, store))
    }

    pub(crate) fn with_store(settings: Settings, store: Arc<dyn Store>) -> Self {
        let current = settings.tokens.secret.clone();
        let mut secrets = vec![current.unwrap_or_else(Secret::random)];
        secrets.extend_from_slice(&settings.tokens.previous_secrets);
        Self {
            store,
            failures: FailedAuthentications::new(settings.limits.failed_authentications_per_minute),
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
        use jwt_redis_session::{Algorithm, SigningKey, VerifyingKey};
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

    /// The name that everything under `part` begins with in the store.
    pub(crate) fn keyspace(&self, part: &str) -> String {
        format!("{}{part}:", self.settings.store.keyspace)
    }

    pub(crate) fn body_timeout(&self) -> Duration {
        self.settings.http.body_timeout
    }
}
