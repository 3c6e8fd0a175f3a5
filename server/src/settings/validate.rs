//! Rules that the types of settings cannot express.

use std::fmt::Display;
use std::net::IpAddr;
use std::time::Duration;

use http::Uri;

use crate::secret::Secret;
use crate::settings::{ListenAddress, Settings, SettingsError, TokenAlgorithm};

const MIN_DURATION: Duration = Duration::from_millis(1);
const MAX_DURATION: Duration = Duration::from_secs(100 * 365 * 86_400);
const MAX_DRAIN_DELAY: Duration = Duration::from_secs(3600);
/// The library limits it.
const MAX_STALENESS: Duration = Duration::from_secs(3600);
/// A Redis string holds at most 512 MB, and text can be six times as long in JSON.
const MAX_PAYLOAD: usize = 64 << 20;

impl Settings {
    /// Validates what [`Settings::load`] has read.
    pub(crate) fn validate(&self) -> Result<(), SettingsError> {
        self.durations()?;
        self.numbers()?;
        self.overrides()?;
        self.secrets()?;
        self.key_files()?;
        self.store()?;
        self.apis()
    }

    fn durations(&self) -> Result<(), SettingsError> {
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
            ensure(is_valid, setting, "must be between 1 ms and 100 years")?;
        }
        let is_valid = self.http.drain_delay <= MAX_DRAIN_DELAY;
        ensure(is_valid, "http.drain_delay", "must be at most 1 hour")
    }

    fn numbers(&self) -> Result<(), SettingsError> {
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
            ensure(range.contains(&number), setting, problem)?;
        }
        Ok(())
    }

    /// Validates the settings of single buckets as those of all buckets.
    fn overrides(&self) -> Result<(), SettingsError> {
        for (bucket, overrides) in &self.buckets.overrides {
            let ttl = overrides.session_ttl;
            let is_valid = ttl.is_none_or(|ttl| (MIN_DURATION..=MAX_DURATION).contains(&ttl));
            let setting = format!("buckets.overrides.{bucket}.session_ttl");
            ensure(is_valid, &setting, "must be between 1 ms and 100 years")?;
            let size = overrides.max_payload;
            let is_valid = size.is_none_or(|size| (1..=MAX_PAYLOAD).contains(&size));
            let setting = format!("buckets.overrides.{bucket}.max_payload");
            ensure(
                is_valid,
                &setting,
                format!("must be between 1 and {MAX_PAYLOAD}"),
            )?;
        }
        Ok(())
    }

    fn secrets(&self) -> Result<(), SettingsError> {
        let signing = match self.tokens.algorithm {
            TokenAlgorithm::HS384 => 48,
            TokenAlgorithm::HS512 => 64,
            // With key pairs, the secret derives API keys only.
            _ => 32,
        };
        let (tokens, min) = (&self.tokens, Secret::MIN_LEN);
        for (setting, secrets, min) in [
            ("tokens.secret", tokens.secret.as_slice(), signing),
            ("tokens.previous_secrets", &tokens.previous_secrets, signing),
            ("buckets.master_keys", &self.buckets.master_keys, min),
            ("rpc.secret", self.rpc.secret.as_slice(), min),
            ("users.secret", self.users.secret.as_slice(), min),
        ] {
            let long = |secret: &Secret| secret.expose().len() >= min;
            let problem =
                format!("must be at least {min} bytes long; see `sessiond generate-secret`");
            ensure(secrets.iter().all(long), setting, problem)?;
            let problem = "is one byte repeated; see `sessiond generate-secret`";
            ensure(!secrets.iter().any(is_one_byte), setting, problem)?;
        }
        ensure(
            tokens.previous_secrets.len() <= 2,
            "tokens.previous_secrets",
            "must be at most two",
        )
    }

    fn key_files(&self) -> Result<(), SettingsError> {
        use TokenAlgorithm::{HS256, HS384, HS512};
        let tokens = &self.tokens;
        let is_hmac = matches!(tokens.algorithm, HS256 | HS384 | HS512);
        let problem = "is required with this `tokens.algorithm`";
        let is_given = is_hmac || tokens.key_file.is_some();
        ensure(is_given, "tokens.key_file", problem)?;
        let problem = "requires RS256, PS256, ES256 or EdDSA as `tokens.algorithm`";
        let is_used = !is_hmac || tokens.key_file.is_none();
        ensure(is_used, "tokens.key_file", problem)?;
        let is_used = !is_hmac || tokens.previous_key_files.is_empty();
        ensure(is_used, "tokens.previous_key_files", problem)?;
        let is_few = tokens.previous_key_files.len() <= 2;
        ensure(is_few, "tokens.previous_key_files", "must be at most two")
    }

    fn store(&self) -> Result<(), SettingsError> {
        let store = &self.store;
        let is_redis = store.redis.is_some();
        ensure(
            !is_redis || store.file.is_none(),
            "store.file",
            "cannot be set together with `store.redis`",
        )?;
        ensure(
            !(is_redis || store.file.is_some()) || self.tokens.secret.is_some(),
            "tokens.secret",
            "is required with Redis or a file, where sessions outlive the process; see `sessiond generate-secret`",
        )?;
        self.accounts()?;
        self.cache()?;
        for (setting, is_set) in [
            ("store.password", store.password.is_some()),
            ("store.password_file", store.password_file.is_some()),
            ("store.sentinel_password", store.sentinel_password.is_some()),
            (
                "store.sentinel_password_file",
                store.sentinel_password_file.is_some(),
            ),
            ("store.ca_file", store.ca_file.is_some()),
            ("store.certificate_file", store.certificate_file.is_some()),
        ] {
            ensure(is_redis || !is_set, setting, "requires `store.redis`")?;
        }
        let (certificate, key) = (store.certificate_file.is_some(), store.key_file.is_some());
        let problem = "requires `store.key_file`";
        ensure(key || !certificate, "store.certificate_file", problem)?;
        let problem = "requires `store.certificate_file`";
        ensure(certificate || !key, "store.key_file", problem)
    }

    fn cache(&self) -> Result<(), SettingsError> {
        let Some(max_staleness) = self.store.cache_max_staleness else {
            return Ok(());
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
            ensure(is_valid, "store.cache_max_staleness", problem)?;
        }
        Ok(())
    }

    /// Validates user and password of Redis and of its sentinels.
    fn accounts(&self) -> Result<(), SettingsError> {
        let store = &self.store;
        for (kind, user, password, file) in [
            ("", &store.user, &store.password, &store.password_file),
            (
                "sentinel_",
                &store.sentinel_user,
                &store.sentinel_password,
                &store.sentinel_password_file,
            ),
        ] {
            let password_setting = format!("store.{kind}password");
            ensure(
                user.is_none() || password.is_some() || file.is_some(),
                &format!("store.{kind}user"),
                format!("requires `{password_setting}` or `{password_setting}_file`"),
            )?;
            ensure(
                password.is_none() || file.is_none(),
                &format!("{password_setting}_file"),
                format!("cannot be set together with `{password_setting}`"),
            )?;
        }
        Ok(())
    }

    fn apis(&self) -> Result<(), SettingsError> {
        let version = &self.rpc.session_version;
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        ensure(
            (1..=32).contains(&version.len()) && version.bytes().all(is_allowed),
            "rpc.session_version",
            "must be 1 to 32 letters, digits, `.`, `_` or `-`",
        )?;
        ensure(
            self.operators.listen.as_ref() != Some(&self.http.listen)
                || self.http.listen == ListenAddress::Systemd,
            "operators.listen",
            "must not be the address of `http.listen`",
        )?;
        let is_local = self.http.listen.is_local();
        ensure(
            is_local
                || !self.users.enabled
                || self.users.secret.is_some()
                || self.users.verify_url.is_some(),
            "users.secret",
            "is required unless `http.listen` is a loopback address or a Unix socket, or \
             `users.verify_url` is set: the users API checks no password",
        )?;
        ensure(
            self.users.verify_url.as_ref().is_none_or(is_protected),
            "users.verify_url",
            "must be an https URL without user and password, or http to a loopback address",
        )?;
        ensure(
            !self.admin.enabled || !self.buckets.master_keys.is_empty(),
            "admin.enabled",
            "requires one of `buckets.master_keys` to log in with",
        )
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

fn is_one_byte(secret: &Secret) -> bool {
    let mut pairs = secret.expose().as_bytes().windows(2);
    pairs.all(|pair| pair[0] == pair[1])
}

fn ensure(is_valid: bool, setting: &str, problem: impl Display) -> Result<(), SettingsError> {
    if is_valid {
        return Ok(());
    }
    Err(SettingsError::new(setting, problem))
}
