//! Rules that the types of settings cannot express.

use std::net::IpAddr;
use std::time::Duration;

use http::Uri;

use crate::secret::Secret;
use crate::settings::{HttpSettings, ListenAddress, Settings, SettingsErrors, TokenAlgorithm};

const MIN_DURATION: Duration = Duration::from_millis(1);
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 86_400);
const MAX_DRAIN_DELAY: Duration = Duration::from_secs(3600);
/// The library limits it.
const MAX_STALENESS: Duration = Duration::from_secs(3600);
/// The largest payload, in bytes.
const MAX_PAYLOAD: usize = 8 << 20;
/// The payload for each second of an operation, in bytes. As JSON, text can be six times as long,
/// and a write sends the former version too: twelve times this takes a link of 200 Mbit/s.
const PAYLOAD_PER_SECOND: f64 = 2_097_152.0;

impl Settings {
    /// Validates what [`Settings::load`] has read.
    pub(crate) fn validate(&self, errors: &mut SettingsErrors) {
        self.durations(errors);
        self.numbers(errors);
        self.overrides(errors);
        self.payloads(errors);
        self.secrets(errors);
        self.key_files(errors);
        self.store(errors);
        self.apis(errors);
    }

    fn durations(&self, errors: &mut SettingsErrors) {
        for (setting, duration) in [
            ("http.header_timeout", self.http.header_timeout),
            ("http.idle_timeout", self.http.idle_timeout),
            ("http.body_timeout", self.http.body_timeout),
            ("http.write_timeout", self.http.write_timeout),
            ("http.request_timeout", self.http.request_timeout),
            ("http.shutdown_timeout", self.http.shutdown_timeout),
            ("store.deadline", self.store.deadline),
            ("buckets.session_ttl", self.buckets.session_ttl),
            ("rpc.session_ttl", self.rpc.session_ttl),
            ("users.session_ttl", self.users.session_ttl),
            ("admin.session_ttl", self.admin.session_ttl),
        ] {
            let is_valid = (MIN_DURATION..=MAX_DURATION).contains(&duration);
            errors.ensure(is_valid, setting, "must be between 1 ms and 100 years");
        }
        let is_valid = self.http.drain_delay <= MAX_DRAIN_DELAY;
        errors.ensure(is_valid, "http.drain_delay", "must be at most 1 hour");
    }

    fn numbers(&self, errors: &mut SettingsErrors) {
        let (http, buckets) = (&self.http, &self.buckets);
        for (setting, number, range) in [
            ("http.threads", http.threads, 0..=1024),
            ("http.max_head_size", http.max_head_size, 1024..=1 << 20),
            ("http.max_connections", http.max_connections, 1..=1_000_000),
            ("http.trusted_proxies", http.trusted_proxies, 0..=100),
            ("buckets.max_payload", buckets.max_payload, 1..=MAX_PAYLOAD),
            ("rpc.max_payload", self.rpc.max_payload, 1..=MAX_PAYLOAD),
        ] {
            let problem = format!("must be between {} and {}", range.start(), range.end());
            errors.ensure(range.contains(&number), setting, problem);
        }
    }

    /// Validates the settings of single buckets as those of all buckets.
    fn overrides(&self, errors: &mut SettingsErrors) {
        for (bucket, overrides) in &self.buckets.overrides {
            let ttl = overrides.session_ttl;
            let is_valid = ttl.is_none_or(|ttl| (MIN_DURATION..=MAX_DURATION).contains(&ttl));
            let setting = format!("buckets.overrides.{bucket}.session_ttl");
            errors.ensure(is_valid, &setting, "must be between 1 ms and 100 years");
            let size = overrides.max_payload;
            let is_valid = size.is_none_or(|size| (1..=MAX_PAYLOAD).contains(&size));
            let setting = format!("buckets.overrides.{bucket}.max_payload");
            let problem = format!("must be between 1 and {MAX_PAYLOAD}");
            errors.ensure(is_valid, &setting, problem);
        }
    }

    /// Validates that the largest payload can be read from Redis, and replaced, in time.
    fn payloads(&self, errors: &mut SettingsErrors) {
        // A request reads the former version, and then writes.
        let operation = self.store.deadline.min(self.http.request_timeout / 2);
        // A duration of 0 s is reported by itself.
        if self.store.redis.is_none() || operation.is_zero() {
            return;
        }
        let largest = (operation.as_secs_f64() * PAYLOAD_PER_SECOND) as usize;
        let overrides = self.buckets.overrides.iter();
        let overrides = overrides.filter_map(|(bucket, overrides)| {
            let setting = format!("buckets.overrides.{bucket}.max_payload");
            Some((setting, overrides.max_payload?))
        });
        let general = [
            ("buckets.max_payload".to_owned(), self.buckets.max_payload),
            ("rpc.max_payload".to_owned(), self.rpc.max_payload),
        ];
        for (setting, bytes) in general.into_iter().chain(overrides) {
            let problem = format!(
                "must be at most {largest}, which can be read from Redis within `store.deadline` \
                 and half of `http.request_timeout`; longer ones permit more"
            );
            errors.ensure(bytes <= largest, &setting, problem);
        }
    }

    fn key_files(&self, errors: &mut SettingsErrors) {
        use TokenAlgorithm::{HS256, HS384, HS512};
        let tokens = &self.tokens;
        let is_hmac = matches!(tokens.algorithm, HS256 | HS384 | HS512);
        let problem = "is required with this `tokens.algorithm`";
        let is_given = is_hmac || tokens.key_file.is_some();
        errors.ensure(is_given, "tokens.key_file", problem);
        let problem = "requires RS256, PS256, ES256 or EdDSA as `tokens.algorithm`";
        let is_used = !is_hmac || tokens.key_file.is_none();
        errors.ensure(is_used, "tokens.key_file", problem);
        let is_used = !is_hmac || tokens.previous_key_files.is_empty();
        errors.ensure(is_used, "tokens.previous_key_files", problem);
        let is_few = tokens.previous_key_files.len() <= 2;
        errors.ensure(is_few, "tokens.previous_key_files", "must be at most two");
    }

    fn store(&self, errors: &mut SettingsErrors) {
        let store = &self.store;
        let is_redis = store.redis.is_some();
        errors.ensure(
            !is_redis || store.file.is_none(),
            "store.file",
            "cannot be set together with `store.redis`",
        );
        errors.ensure(
            !(is_redis || store.file.is_some()) || self.tokens.secret.is_some(),
            "tokens.secret",
            "is required with Redis or a file, where sessions outlive the process; see `sessiond generate-secret`",
        );
        self.accounts(errors);
        self.cache(errors);
        for (setting, is_set) in [
            ("store.password", store.password.is_some()),
            ("store.password_file", store.password_file.is_some()),
            ("store.sentinel_password", store.sentinel_password.is_some()),
            ("store.ca_file", store.ca_file.is_some()),
            ("store.certificate_file", store.certificate_file.is_some()),
        ] {
            errors.ensure(is_redis || !is_set, setting, "requires `store.redis`");
        }
        let (certificate, key) = (store.certificate_file.is_some(), store.key_file.is_some());
        let problem = "requires `store.key_file`";
        errors.ensure(key || !certificate, "store.certificate_file", problem);
        let problem = "requires `store.certificate_file`";
        errors.ensure(certificate || !key, "store.key_file", problem);
    }

    fn cache(&self, errors: &mut SettingsErrors) {
        let Some(max_staleness) = self.store.cache_max_staleness else {
            return;
        };
        let url = self.store.redis.as_ref().map_or("", Secret::expose);
        let is_cluster = url.starts_with("redis-cluster:") || url.starts_with("rediss-cluster:");
        for (is_valid, problem) in [
            (
                (MIN_DURATION..=MAX_STALENESS).contains(&max_staleness),
                "must be between 1 ms and 1 h, or null for no cache",
            ),
            (!url.is_empty(), "requires `store.redis`"),
            (
                !is_cluster,
                "cannot be set with a cluster, which cannot keep the bound; remove it",
            ),
        ] {
            errors.ensure(is_valid, "store.cache_max_staleness", problem);
        }
    }

    /// Validates user and password of Redis and of its sentinels.
    fn accounts(&self, errors: &mut SettingsErrors) {
        let store = &self.store;
        let (password, file) = (store.password.is_some(), store.password_file.is_some());
        let sentinel_password = store.sentinel_password.is_some();
        for (kind, user, has_password) in [
            ("", &store.user, password || file),
            ("sentinel_", &store.sentinel_user, sentinel_password),
        ] {
            errors.ensure(
                user.is_none() || has_password,
                &format!("store.{kind}user"),
                format!("requires `store.{kind}password` or `store.{kind}password_file`"),
            );
        }
        errors.ensure(
            !password || !file,
            "store.password_file",
            "cannot be set together with `store.password`",
        );
    }

    fn apis(&self, errors: &mut SettingsErrors) {
        let version = &self.rpc.session_version;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        errors.ensure(
            (1..=32).contains(&version.len()) && version.bytes().all(is_allowed),
            "rpc.session_version",
            "must be 1 to 32 letters, digits, `.`, `_` or `-`",
        );
        errors.ensure(
            self.operators.listen.as_ref() != Some(&self.http.listen)
                || self.http.listen == ListenAddress::Systemd,
            "operators.listen",
            "must not be the address of `http.listen`",
        );
        self.exposed_apis(errors);
        errors.ensure(
            self.users.verify_url.as_ref().is_none_or(is_protected),
            "users.verify_url",
            "must be an https URL without user and password, or http to a loopback address",
        );
        errors.ensure(
            !self.admin.enabled || !self.buckets.master_keys.is_empty(),
            "buckets.master_keys",
            "is required with `admin.enabled`: operators log in with a master key",
        );
        self.introspection(errors);
    }

    fn introspection(&self, errors: &mut SettingsErrors) {
        let is_enabled = self.introspection.enabled;
        errors.ensure(
            !is_enabled || !self.introspection.secrets.is_empty(),
            "introspection.secrets",
            "is required with `introspection.enabled`; see `sessiond generate-secret`",
        );
        errors.ensure(
            !is_enabled || self.rpc.enabled || self.users.enabled,
            "introspection.enabled",
            "requires `rpc.enabled` or `users.enabled`: only their tokens can be introspected",
        );
    }

    /// Validates that APIs without another credential are not exposed without a secret.
    fn exposed_apis(&self, errors: &mut SettingsErrors) {
        let is_exposed = is_exposed(&self.http);
        for (api, is_enabled, secret, danger) in [
            (
                "rpc",
                self.rpc.enabled,
                self.rpc.secret.as_ref(),
                "every client that reaches the API may read and end every session",
            ),
            (
                "users",
                self.users.enabled,
                self.users
                    .secret
                    .as_ref()
                    .or(self.users.verify_url.as_ref()),
                "the API checks no password, unless `users.verify_url` is set",
            ),
        ] {
            errors.ensure(
                !is_exposed || !is_enabled || secret.is_some(),
                &format!("{api}.secret"),
                format!(
                    "is required unless `http.listen` is a loopback address or a Unix socket, and \
                     `http.trusted_proxies` is 0: {danger}; see `sessiond generate-secret`, or set \
                     `{api}.enabled` to false"
                ),
            );
        }
    }
}

/// Returns whether a password can be sent to `url`: encrypted, or without leaving this machine.
fn is_protected(url: &Secret) -> bool {
    let Ok(url) = url.expose().parse::<Uri>() else {
        return false;
    };
    let host = url.host().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    let is_local = host == "localhost" || address.is_ok_and(|address| address.is_loopback());
    let has_user = url.authority().is_none_or(|it| it.as_str().contains('@'));
    !has_user && (url.scheme_str() == Some("https") || url.scheme_str() == Some("http") && is_local)
}

/// Returns whether other machines can reach the service: over the network, or through a proxy.
fn is_exposed(http: &HttpSettings) -> bool {
    !http.listen.is_local() || http.trusted_proxies > 0
}
