//! The sections of the settings. `config.yml` describes each setting.
#![expect(missing_docs, reason = "config.yml describes each setting")]

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use crate::secret::Secret;
use crate::settings::listen::ListenAddress;

/// All settings of the service, in sections.
///
/// [`Settings::load`] reads them from a YAML file, from the environment
/// (`SESSIOND__SECTION__KEY`) and from flags; later sources override earlier ones. `config.yml`
/// contains every setting with its description and its default.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    pub http: HttpSettings,
    pub operators: OperatorSettings,
    pub store: StoreSettings,
    pub tokens: TokenSettings,
    pub buckets: BucketSettings,
    pub rpc: RpcSettings,
    pub users: UserSettings,
    pub introspection: IntrospectionSettings,
    pub admin: AdminSettings,
    pub limits: LimitSettings,
    pub log: LogSettings,
}

/// Connections and requests.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HttpSettings {
    pub listen: ListenAddress,
    pub socket_mode: SocketMode,
    pub threads: usize,
    pub max_head_size: usize,
    #[serde(with = "humantime_serde")]
    pub header_timeout: Duration,
    #[serde(with = "humantime_serde")]
    pub idle_timeout: Duration,
    #[serde(with = "humantime_serde")]
    pub body_timeout: Duration,
    #[serde(with = "humantime_serde")]
    pub write_timeout: Duration,
    #[serde(with = "humantime_serde")]
    pub request_timeout: Duration,
    #[serde(with = "humantime_serde")]
    pub drain_delay: Duration,
    #[serde(with = "humantime_serde")]
    pub shutdown_timeout: Duration,
    pub max_connections: usize,
    pub trusted_proxies: usize,
    pub proxy_header: ProxyHeader,
}

/// The permissions of a Unix socket's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct SocketMode(pub u32);

impl TryFrom<String> for SocketMode {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        let mode = u32::from_str_radix(&text, 8)
            .ok()
            .filter(|_| text.len() == 4);
        let mode = mode.filter(|mode| *mode <= 0o777);
        mode.map(Self)
            .ok_or("must be four octal digits in quotes, such as \"0660\"")
    }
}

/// Endpoints for operators.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperatorSettings {
    pub listen: Option<ListenAddress>,
}

/// Storage of sessions.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    pub redis: Option<Secret>,
    pub file: Option<PathBuf>,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub password_file: Option<PathBuf>,
    pub sentinel_user: Option<String>,
    pub sentinel_password: Option<Secret>,
    pub ca_file: Option<PathBuf>,
    pub certificate_file: Option<PathBuf>,
    pub key_file: Option<PathBuf>,
    pub keyspace: String,
    #[serde(with = "humantime_serde")]
    pub deadline: Duration,
    #[serde(with = "humantime_serde")]
    pub cache_max_staleness: Option<Duration>,
}

/// Signatures of RPC tokens and API keys.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenSettings {
    pub algorithm: TokenAlgorithm,
    pub secret: Option<Secret>,
    pub previous_secrets: Vec<Secret>,
    pub key_file: Option<PathBuf>,
    pub previous_key_files: Vec<PathBuf>,
}

/// The buckets API (REST).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketSettings {
    pub enabled: bool,
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    pub max_payload: usize,
    pub overrides: BTreeMap<String, BucketOverrides>,
    pub master_keys: Vec<Secret>,
}

/// The settings of one bucket that differ from those of all buckets.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BucketOverrides {
    #[serde(default, with = "humantime_serde")]
    pub session_ttl: Option<Duration>,
    #[serde(default)]
    pub max_payload: Option<usize>,
}

/// The RPC API.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RpcSettings {
    pub enabled: bool,
    pub session_version: String,
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    pub max_payload: usize,
    pub secret: Option<Secret>,
}

/// The users API (username and bearer token).
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserSettings {
    pub enabled: bool,
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
    pub secret: Option<Secret>,
    pub verify_url: Option<Secret>,
}

/// Introspection of the tokens of the RPC and users APIs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IntrospectionSettings {
    pub enabled: bool,
    pub secrets: Vec<Secret>,
}

/// The admin pages.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AdminSettings {
    pub enabled: bool,
    #[serde(with = "humantime_serde")]
    pub session_ttl: Duration,
}

/// Rate limits of clients.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitSettings {
    pub failed_authentications_per_minute: NonZeroU32,
}

/// The log.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogSettings {
    pub format: LogFormat,
    pub access: bool,
    pub user_agent: bool,
}

/// Signature algorithm (RFC 7518 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub enum TokenAlgorithm {
    HS256,
    HS384,
    HS512,
    RS256,
    PS256,
    ES256,
    EdDSA,
}

/// Header in which proxies report the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub enum ProxyHeader {
    #[serde(rename = "X-Forwarded-For")]
    XForwardedFor,
    /// RFC 7239.
    Forwarded,
}

impl ProxyHeader {
    /// Returns the name of the header.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::XForwardedFor => "X-Forwarded-For",
            Self::Forwarded => "Forwarded",
        }
    }
}

/// Format of a line of the log.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    Text,
    /// One object per line.
    Json,
}
