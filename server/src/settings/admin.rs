//! The page for operators.

use std::time::Duration;

use serde::Deserialize;

/// The page for operators at `/admin`: section `admin`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct AdminSettings {
    /// Whether there is one; one of `buckets.master_keys` opens it. Defaults to false.
    pub enabled: bool,
    /// How long an operator stays logged in without doing anything. Defaults to `15m`.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
}

impl Default for AdminSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            session_ttl: Duration::from_secs(15 * 60),
        }
    }
}
