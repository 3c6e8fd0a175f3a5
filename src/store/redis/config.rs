//! Configuration of the Redis store.

use std::fmt;
use std::time::Duration;

/// Configuration of a [`RedisStore`](crate::RedisStore): where Redis is and how long a call may take.
///
/// The URL is `redis://[user][:password@]host[:port][/database]`, `rediss://…` for TLS (feature
/// `tls`), or `unix:///path/to/socket[?db=…&user=…&pass=…]`. User and password must be
/// percent-encoded in a URL; [`credentials`](Self::credentials) takes them as they are.
///
/// TLS goes through rustls, whose cryptography is chosen once for the whole process. If none was
/// chosen when a store for a `rediss://` URL is made, ring is installed, and a later
/// `CryptoProvider::install_default` of the application fails. An application that wants another
/// provider installs it first. A provider that is installed is never replaced.
///
/// A duration of less than 1 millisecond or more than 1 hour becomes the nearer of the two.
///
/// ```
/// use std::time::Duration;
/// use jwt_redis_session::RedisConfig;
///
/// let store = RedisConfig::new("redis://127.0.0.1:6379/3")
///     .response_timeout(Duration::from_millis(200))
///     .lazy()?;
/// # Ok::<(), jwt_redis_session::store::StoreError>(())
/// ```
#[derive(Clone)]
pub struct RedisConfig {
    pub(super) url: String,
    pub(super) credentials: Option<(String, String)>,
    pub(super) limits: Limits,
    #[cfg(feature = "tls")]
    pub(super) certificates: super::tls::Certificates,
}

/// The size in bytes from which a value, and above which a request, travels over the second
/// connection. 64 KiB take 5 ms on a link of 100 Mbit/s, and all later calls on the same connection
/// wait for that time.
pub(super) const LARGE: usize = 64 * 1024;

/// The shortest duration: a call that may take no time at all cannot succeed.
const SHORTEST: Duration = Duration::from_millis(1);
/// The longest duration, far from the point where the clock overflows.
const LONGEST: Duration = Duration::from_secs(60 * 60);

/// How long each part of a call may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) deadline: Duration,
    pub(super) response: Duration,
    pub(super) connect: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline: Duration::from_secs(1),
            response: Duration::from_millis(500),
            connect: Duration::from_millis(500),
        }
    }
}

impl RedisConfig {
    /// Creates a configuration for the server at `url`, with defaults for all other settings.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            credentials: None,
            limits: Limits::default(),
            #[cfg(feature = "tls")]
            certificates: super::tls::Certificates::default(),
        }
    }

    /// Sets user and password, which need no encoding here. They replace those of the URL.
    ///
    /// An empty user is the default user of the server.
    ///
    /// ```
    /// # use jwt_redis_session::RedisConfig;
    /// let store = RedisConfig::new("redis://127.0.0.1")
    ///     .credentials("", "p@ss/w#rd")
    ///     .lazy()?;
    /// # Ok::<(), jwt_redis_session::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn credentials(mut self, user: impl Into<String>, password: impl Into<String>) -> Self {
        self.credentials = Some((user.into(), password.into()));
        self
    }

    /// Sets the longest time of a whole call, which includes waiting for a connection, the answer
    /// and a retry. Defaults to 1 second.
    #[must_use]
    pub fn deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline.clamp(SHORTEST, LONGEST);
        self
    }

    /// Sets the longest time that a call waits while nothing arrives from the server. Defaults to
    /// 500 milliseconds.
    ///
    /// While bytes arrive, a call waits until its deadline: its own answer is under way, or that
    /// of an earlier call on the same connection. A connection that stays silent is replaced.
    #[must_use]
    pub fn response_timeout(mut self, timeout: Duration) -> Self {
        self.limits.response = timeout.clamp(SHORTEST, LONGEST);
        self
    }

    /// Sets the longest time to make one connection, authentication included. Defaults to 500
    /// milliseconds.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.limits.connect = timeout.clamp(SHORTEST, LONGEST);
        self
    }

    /// Trusts the certificates in `pem` instead of those of the operating system.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.root = Some(pem.into());
        self
    }

    /// Presents a certificate to the server: the chain and its private key, both in PEM.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn client_certificate(
        mut self,
        chain_pem: impl Into<Vec<u8>>,
        key_pem: impl Into<Vec<u8>>,
    ) -> Self {
        self.certificates.client = Some((chain_pem.into(), key_pem.into()));
        self
    }
}

impl fmt::Debug for RedisConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisConfig")
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{LONGEST, RedisConfig, SHORTEST};

    #[test]
    fn durations_are_kept_in_bounds() {
        for (given, kept) in [(Duration::ZERO, SHORTEST), (Duration::MAX, LONGEST)] {
            let limits = RedisConfig::new("redis://127.0.0.1")
                .deadline(given)
                .response_timeout(given)
                .connect_timeout(given)
                .limits;
            for time in [limits.deadline, limits.response, limits.connect] {
                assert_eq!(time, kept, "{given:?}");
            }
        }
    }
}
