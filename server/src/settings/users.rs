//! The users API: username and bearer.

use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;

/// The users API, username and bearer: section `users`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct UserSettings {
    /// Whether the API is enabled. Defaults to false: it checks no password, so something that
    /// does must stand in front of it.
    pub enabled: bool,
    /// How long a session lives after its last use. Defaults to `7days`.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    /// What whoever checks the passwords must send in the header `X-Sessiond-Secret`, at least
    /// 32 bytes. Defaults to none, which is refused unless `http.listen` is a loopback address.
    pub secret: Option<Secret>,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            enabled: false,
            session_ttl: Duration::from_secs(7 * 86_400),
            secret: None,
        }
    }
}
