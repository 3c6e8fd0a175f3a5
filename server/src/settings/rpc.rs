//! The RPC API.

use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;

/// The RPC API: section `rpc`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct RpcSettings {
    /// Whether the API is enabled. Defaults to true.
    pub enabled: bool,
    /// The version of the sessions: part of their keyspace, their ids and their tokens. 1 to 32
    /// letters, digits, `.`, `_` or `-`. Defaults to `v1`.
    pub session_version: String,
    /// How long a session lives after its last use. Defaults to `31days`.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    /// The largest request, in bytes. Defaults to 1,048,576 (1 MiB).
    pub max_payload: usize,
    /// What callers must send in the header `X-Sessiond-Secret`, at least 32 bytes. Defaults to
    /// none: every client that can reach the API may use it, as with the original.
    pub secret: Option<Secret>,
}

impl Default for RpcSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            session_version: "v1".to_owned(),
            session_ttl: Duration::from_secs(31 * 86_400),
            max_payload: 1 << 20,
            secret: None,
        }
    }
}
