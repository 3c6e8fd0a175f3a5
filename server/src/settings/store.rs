//! Where sessions are kept.

use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;

/// Where sessions are kept: section `store`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The URL of Redis, `redis://` or `rediss://`; it may hold a password, so it is a secret.
    /// Defaults to none: sessions are kept in memory, until the service ends.
    pub redis: Option<Secret>,
    /// The Redis user. Replaces that of the URL. Defaults to none: with a password, the default
    /// user.
    pub user: Option<String>,
    /// The password of the Redis user. Replaces that of the URL, and needs no percent-encoding.
    /// Defaults to none.
    pub password: Option<Secret>,
    /// What every name in Redis begins with. Defaults to `sessiond:`.
    pub keyspace: String,
    /// How long an operation on the store may take in all, reconnecting included. Defaults to
    /// `1s`.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
}

impl Default for StoreSettings {
    fn default() -> Self {
        Self {
            redis: None,
            user: None,
            password: None,
            keyspace: "sessiond:".to_owned(),
            deadline: Duration::from_secs(1),
        }
    }
}
