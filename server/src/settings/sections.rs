//! All settings.

use serde::Deserialize;

use crate::settings::{
    AdminSettings, BucketSettings, HttpSettings, LimitSettings, LogSettings, RpcSettings,
    StoreSettings, TokenSettings, UserSettings,
};

/// Every setting, by section; `Settings::default()` is what the service runs with if nothing is
/// configured.
///
/// Read from a YAML file, from the environment (`SESSIOND__SECTION__KEY`) and from flags, the
/// later over the earlier, by [`Settings::load`]. `config.yml` beside the crate holds every
/// setting with its default.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Settings {
    /// How requests come in.
    pub http: HttpSettings,
    /// Where sessions are kept.
    pub store: StoreSettings,
    /// How tokens are signed.
    pub tokens: TokenSettings,
    /// The buckets API (REST).
    pub buckets: BucketSettings,
    /// The RPC API.
    pub rpc: RpcSettings,
    /// The users API: username and bearer.
    pub users: UserSettings,
    /// The page for operators.
    pub admin: AdminSettings,
    /// What a client may do how often.
    pub limits: LimitSettings,
    /// What is logged, and how.
    pub log: LogSettings,
}
