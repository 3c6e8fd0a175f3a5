//! The buckets API (REST).

use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;

/// The buckets API (REST): section `buckets`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct BucketSettings {
    /// Whether the API is enabled. Defaults to true.
    pub enabled: bool,
    /// How long a session lives after its last use. Defaults to `30days`.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    /// The largest data of a session, in bytes as they are sent. Defaults to 1,048,576 (1 MiB).
    ///
    /// It is kept, and told, as JSON, which for a text can be up to six times as long.
    pub max_payload: usize,
    /// The keys that open `/api-key`, each at least 32 bytes. Defaults to none: no bucket can be
    /// given a key.
    pub master_keys: Vec<Secret>,
}

impl Default for BucketSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            session_ttl: Duration::from_secs(30 * 86_400),
            max_payload: 1 << 20,
            master_keys: Vec::new(),
        }
    }
}
