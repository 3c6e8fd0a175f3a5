//! The rules that settings must keep.

use std::time::Duration;

use crate::secret::Secret;
use crate::settings::{Settings, SettingsError, TokenAlgorithm};

/// More threads than any machine has processors.
const MAX_THREADS: usize = 1024;
/// More connections than a process may have sockets.
const MAX_CONNECTIONS: usize = 1_000_000;
/// More proxies than any way has.
const MAX_PROXIES: usize = 100;
/// A string of Redis is 512 MB at most, and text can take six times as much as JSON.
const MAX_PAYLOAD: usize = 64 << 20;

impl Settings {
    /// Checks the rules that types cannot express.
    pub(super) fn validate(&self) -> Result<(), SettingsError> {
        self.durations()?;
        self.numbers()?;
        self.secrets()?;
        self.store()?;
        self.apis()
    }

    fn durations(&self) -> Result<(), SettingsError> {
        let (least, most) = (
            Duration::from_millis(1),
            Duration::from_secs(100 * 365 * 86_400),
        );
        let all = [
            ("http.header_timeout", self.http.header_timeout),
            ("http.body_timeout", self.http.body_timeout),
            ("http.write_timeout", self.http.write_timeout),
            ("http.request_timeout", self.http.request_timeout),
            ("http.shutdown_timeout", self.http.shutdown_timeout),
            ("store.deadline", self.store.deadline),
            ("buckets.session_ttl", self.buckets.session_ttl),
            ("rpc.session_ttl", self.rpc.session_ttl),
            ("users.session_ttl", self.users.session_ttl),
            ("admin.session_ttl", self.admin.session_ttl),
        ];
        match all.iter().find(|(_, time)| !(least..=most).contains(time)) {
            None => Ok(()),
            Some((setting, _)) => wrong(setting, "must be between 1 ms and 100 years"),
        }
    }

    fn numbers(&self) -> Result<(), SettingsError> {
        let all = [
            ("http.threads", self.http.threads, 0..=MAX_THREADS),
            (
                "http.max_connections",
                self.http.max_connections,
                1..=MAX_CONNECTIONS,
            ),
            (
                "http.trusted_proxies",
                self.http.trusted_proxies,
                0..=MAX_PROXIES,
            ),
            (
                "buckets.max_payload",
                self.buckets.max_payload,
                1..=MAX_PAYLOAD,
            ),
            ("rpc.max_payload", self.rpc.max_payload, 1..=MAX_PAYLOAD),
        ];
        for (setting, number, range) in all {
            if !range.contains(&number) {
                let (least, most) = range.into_inner();
                return wrong(setting, format!("must be between {least} and {most}"));
            }
        }
        Ok(())
    }

    fn secrets(&self) -> Result<(), SettingsError> {
        let least = match self.tokens.algorithm {
            TokenAlgorithm::HS256 => 32,
            TokenAlgorithm::HS384 => 48,
            TokenAlgorithm::HS512 => 64,
        };
        at_least("tokens.secret", &self.tokens.secret, least)?;
        at_least(
            "tokens.previous_secrets",
            &self.tokens.previous_secrets,
            least,
        )?;
        at_least(
            "buckets.master_keys",
            &self.buckets.master_keys,
            Secret::MIN_LEN,
        )?;
        at_least("rpc.secret", &self.rpc.secret, Secret::MIN_LEN)?;
        at_least("users.secret", &self.users.secret, Secret::MIN_LEN)?;
        if self.tokens.previous_secrets.len() > 2 {
            return wrong("tokens.previous_secrets", "at most two are accepted");
        }
        if self.store.redis.is_some() && self.tokens.secret.is_none() {
            return wrong(
                "tokens.secret",
                "is needed with Redis, where sessions outlive the service; `sessiond generate-secret` makes one",
            );
        }
        self.varied_secrets()
    }

    /// Those of the tokens are checked with the algorithm.
    fn varied_secrets(&self) -> Result<(), SettingsError> {
        let varied = |secret: &Secret| {
            let bytes = secret.expose().as_bytes();
            bytes.windows(2).any(|pair| pair[0] != pair[1])
        };
        for (setting, mut secrets) in [
            ("buckets.master_keys", self.buckets.master_keys.iter()),
            ("rpc.secret", self.rpc.secret.as_slice().iter()),
            ("users.secret", self.users.secret.as_slice().iter()),
        ] {
            if !secrets.all(varied) {
                return wrong(
                    setting,
                    "is one byte repeated; `sessiond generate-secret` makes one",
                );
            }
        }
        Ok(())
    }

    fn store(&self) -> Result<(), SettingsError> {
        if self.store.password.is_some() && self.store.redis.is_none() {
            return wrong("store.password", "needs `store.redis`");
        }
        if self.store.user.is_some() && self.store.password.is_none() {
            return wrong("store.user", "needs `store.password`");
        }
        Ok(())
    }

    fn apis(&self) -> Result<(), SettingsError> {
        let version = &self.rpc.session_version;
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
        if !(1..=32).contains(&version.len()) || !version.bytes().all(fits) {
            return wrong(
                "rpc.session_version",
                "must be 1 to 32 letters, digits, `.`, `_` or `-`",
            );
        }
        if self.users.enabled && self.users.secret.is_none() && !self.http.listen.ip().is_loopback()
        {
            return wrong(
                "users.secret",
                "is needed on an address that is not loopback: the users API checks no password",
            );
        }
        if self.admin.enabled && self.buckets.master_keys.is_empty() {
            return wrong(
                "admin.enabled",
                "needs one of `buckets.master_keys` to enter with",
            );
        }
        Ok(())
    }
}

fn at_least<'a>(
    setting: &str,
    secrets: impl IntoIterator<Item = &'a Secret>,
    bytes: usize,
) -> Result<(), SettingsError> {
    if secrets
        .into_iter()
        .all(|secret| secret.expose().len() >= bytes)
    {
        return Ok(());
    }
    wrong(
        setting,
        format!("must be at least {bytes} bytes long; `sessiond generate-secret` makes one"),
    )
}

fn wrong<T>(setting: &str, problem: impl Into<String>) -> Result<T, SettingsError> {
    Err(SettingsError::new(setting, problem))
}
