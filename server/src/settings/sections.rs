//! The settings, by section. `config.yml` describes each in full and holds the defaults.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;

/// All settings of the service.
///
/// [`Settings::load`] reads them from a YAML file, from the environment
/// (`SESSIOND__SECTION__KEY`) and from flags; later sources override earlier ones.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// Connections and requests.
    pub http: HttpSettings,
    /// Storage of sessions.
    pub store: StoreSettings,
    /// Signatures of tokens.
    pub tokens: TokenSettings,
    /// The buckets API (REST).
    pub buckets: BucketSettings,
    /// The RPC API.
    pub rpc: RpcSettings,
    /// The users API (username and bearer token).
    pub users: UserSettings,
    /// The admin pages.
    pub admin: AdminSettings,
    /// Rate limits of clients.
    pub limits: LimitSettings,
    /// The log.
    pub log: LogSettings,
}

/// Section `http`: connections and requests.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct HttpSettings {
    /// The address to listen on.
    pub listen: SocketAddr,
    /// The number of threads that serve requests; 0 is one per processor.
    pub threads: usize,
    /// The longest time to receive the head of a request, and for a connection to stay idle.
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    /// The longest time to receive the body of a request.
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    /// The longest time for which a client may read nothing of a response.
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
    /// The longest time for a whole request.
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    /// The longest time to finish requests during shutdown.
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
    /// The largest number of connections served concurrently.
    pub max_connections: usize,
    /// The number of proxies in front that append to `X-Forwarded-For`.
    pub trusted_proxies: usize,
}

/// Section `store`: storage of sessions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StoreSettings {
    /// The URL of Redis, a secret as it may hold a password; `None` keeps sessions in memory.
    pub redis: Option<Secret>,
    /// The Redis user, instead of that in the URL.
    pub user: Option<String>,
    /// The Redis password, instead of that in the URL.
    pub password: Option<Secret>,
    /// The prefix of all keys in Redis.
    pub keyspace: String,
    /// The longest time for an operation, including reconnection.
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
}

/// Section `tokens`: signatures of RPC tokens and API keys.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenSettings {
    /// The signature algorithm.
    pub algorithm: TokenAlgorithm,
    /// The signing secret; `None` draws a random one at each start.
    pub secret: Option<Secret>,
    /// At most two earlier secrets whose tokens are still valid.
    pub previous_secrets: Vec<Secret>,
}

/// Section `buckets`: the buckets API (REST).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct BucketSettings {
    /// Whether the API is enabled.
    pub enabled: bool,
    /// The time after its last use at which a session expires.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    /// The largest data of a session as sent by the client, in bytes.
    pub max_payload: usize,
    /// The keys that grant access to `/api-key` and `/admin`.
    pub master_keys: Vec<Secret>,
}

/// Section `rpc`: the RPC API.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RpcSettings {
    /// Whether the API is enabled.
    pub enabled: bool,
    /// The version of the sessions, part of their keys, ids and tokens.
    pub session_version: String,
    /// The time after its last use at which a session expires.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    /// The largest request, in bytes.
    pub max_payload: usize,
    /// The secret that callers must send; `None` accepts every caller.
    pub secret: Option<Secret>,
}

/// Section `users`: the users API (username and bearer token).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct UserSettings {
    /// Whether the API is enabled. It checks no password, so a service in front must.
    pub enabled: bool,
    /// The time after its last use at which a session expires.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    /// The secret that must accompany a login.
    pub secret: Option<Secret>,
}

/// Section `admin`: the admin pages.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AdminSettings {
    /// Whether the pages are enabled.
    pub enabled: bool,
    /// The time of inactivity after which an operator is logged out.
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
}

/// Section `limits`: rate limits of clients.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LimitSettings {
    /// The number of failed authentications per minute and client before responses are 429.
    pub failed_authentications_per_minute: NonZeroU32,
}

/// Section `log`: the log. `RUST_LOG` or `DEBUG` in the environment set its level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct LogSettings {
    /// The format of a line.
    pub format: LogFormat,
    /// Whether each request is logged.
    pub access: bool,
}

/// Signature algorithm (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub enum TokenAlgorithm {
    /// HMAC with SHA-256.
    HS256,
    /// HMAC with SHA-384.
    HS384,
    /// HMAC with SHA-512.
    HS512,
}

/// Format of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LogFormat {
    /// Text for people.
    Text,
    /// One JSON object per line.
    Json,
}
