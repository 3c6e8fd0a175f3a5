//! Configuration of the Redis store.

use std::error::Error;
use std::fmt;
use std::time::Duration;

use super::cache::Cache;
use super::credentials::Provider;

/// Configuration of a [`RedisStore`](crate::RedisStore): where Redis is and how long a call may
/// take.
///
/// # URL
///
/// | Redis | URL |
/// |---|---|
/// | one server | `redis://[user][:password@]host[:port][/database]` |
/// | a socket | `unix:///path/to/socket[?db=…&user=…&pass=…]` |
/// | a cluster (feature `cluster`) | `redis-cluster://[user][:password@]host[:port][?node=host:port&…]` |
/// | a master and its sentinels (feature `sentinel`) | `redis-sentinel://[user][:password@]host[:port][/database]?sentinelServiceName=name[&node=host:port&…]` |
///
/// `rediss` instead of `redis` enables TLS (feature `tls`), to the sentinels too. User and password
/// are those of Redis and must be percent-encoded in a URL; [`credentials`](Self::credentials)
/// takes them as they are. Those of sentinels are `sentinelUsername` and `sentinelPassword`, or
/// [`sentinel_credentials`](Self::sentinel_credentials); in a parameter `+` is `%2B`. Two or
/// three nodes of a cluster are enough, because each can lead to the others. Name all sentinels: of
/// three or more, a majority must answer and agree. A port that is not named is 6379, that of a
/// sentinel 26379. Methods take precedence over the URL.
///
/// # TLS
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
    pub(super) credentials_provider: Option<Provider>,
    pub(super) database: Option<u32>,
    pub(super) nodes: Vec<String>,
    pub(super) service_name: Option<String>,
    pub(super) sentinel_user: Option<String>,
    pub(super) sentinel_password: Option<String>,
    pub(super) limits: Limits,
    pub(super) cache: Option<Cache>,
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
            credentials_provider: None,
            database: None,
            nodes: Vec::new(),
            service_name: None,
            sentinel_user: None,
            sentinel_password: None,
            limits: Limits::default(),
            cache: None,
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

    /// Sets a callback that returns user and password, for passwords that change while the
    /// application runs. It is called before every connection, and replaces other credentials.
    ///
    /// An empty user is the default user. The time of the callback is part of the
    /// [`connect_timeout`](Self::connect_timeout). If it fails, calls fail with
    /// [`StoreErrorKind::Auth`](crate::store::StoreErrorKind::Auth), and the cause is the error
    /// of the callback. These credentials are never sent to sentinels.
    ///
    /// ```
    /// # use jwt_redis_session::RedisConfig;
    /// let store = RedisConfig::new("redis://127.0.0.1")
    ///     .credentials_provider(|| async {
    ///         let password = tokio::fs::read_to_string("/run/secrets/redis").await?;
    ///         Ok::<_, std::io::Error>(("app".to_owned(), password.trim().to_owned()))
    ///     })
    ///     .lazy()?;
    /// # Ok::<(), jwt_redis_session::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn credentials_provider<F, A, E>(mut self, provider: F) -> Self
    where
        F: Fn() -> A + Send + Sync + 'static,
        A: Future<Output = Result<(String, String), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>>,
    {
        self.credentials_provider = Some(Provider::new(provider));
        self
    }

    /// Sets the number of the database. It replaces that of the URL. A cluster has only number 0.
    #[must_use]
    pub const fn database(mut self, database: u32) -> Self {
        self.database = Some(database);
        self
    }

    /// Adds nodes of a cluster, or sentinels, as `host`, `host:port` or `[v6]:port`. One node
    /// that can be reached is enough: it names the others. Of three sentinels or more, a majority
    /// must be reached.
    ///
    /// ```
    /// # #[cfg(feature = "cluster")] {
    /// # use jwt_redis_session::RedisConfig;
    /// let store = RedisConfig::new("redis-cluster://10.0.0.1")
    ///     .nodes(["10.0.0.2", "10.0.0.3:7000"])
    ///     .lazy()?;
    /// # }
    /// # Ok::<(), jwt_redis_session::store::StoreError>(())
    /// ```
    #[must_use]
    pub fn nodes<N: Into<String>>(mut self, nodes: impl IntoIterator<Item = N>) -> Self {
        self.nodes.extend(nodes.into_iter().map(Into::into));
        self
    }

    /// Sets the service name of the master in the configuration of the sentinels.
    #[must_use]
    pub fn service_name(mut self, name: impl Into<String>) -> Self {
        self.service_name = Some(name.into());
        self
    }

    /// Sets user and password of the sentinels, which do not share those of Redis.
    ///
    /// An empty user is the default user.
    #[must_use]
    pub fn sentinel_credentials(
        mut self,
        user: impl Into<String>,
        password: impl Into<String>,
    ) -> Self {
        self.sentinel_user = Some(user.into());
        self.sentinel_password = Some(password.into());
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
    /// While bytes arrive, a call waits until its deadline: its own answer is in transit, or that
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

    /// Keeps sessions in this process after they are read; [`Cache`] has the promise and the
    /// limits. Without this call there is no cache.
    ///
    /// A store made of a pool takes no `RedisConfig`, so it has no cache. A cluster cannot have
    /// one: [`connect`](Self::connect) and [`lazy`](Self::lazy) fail with
    /// [`StoreErrorKind::Configuration`](crate::store::StoreErrorKind::Configuration). With a
    /// `max_staleness` of zero there is no cache.
    #[must_use]
    pub fn cache(mut self, cache: Cache) -> Self {
        self.cache = (!cache.max_staleness.is_zero()).then_some(cache);
        self
    }

    /// Trusts the certificates in `pem` instead of those of the operating system, for servers and
    /// sentinels.
    #[cfg(feature = "tls")]
    #[cfg_attr(docsrs, doc(cfg(feature = "tls")))]
    #[must_use]
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.certificates.root = Some(pem.into());
        self
    }

    /// Presents a certificate to servers and sentinels: the chain and its private key, both in PEM.
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
            .field("cache", &self.cache)
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
