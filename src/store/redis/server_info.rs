//! Version and eviction policy of a server.

use redis::aio::MultiplexedConnection;
use redis::{RedisError, Value, cmd};

/// Version and eviction policy of a server, as it reports them.
///
/// [`RedisStore::check`](crate::RedisStore::check) returns it. In a cluster, the version is that of
/// one of the masters, and the policy that of one that evicts, if there is any.
///
/// ```no_run
/// # use jwt_redis_session::{RedisStore, store::StoreError};
/// # async fn doc(store: RedisStore) -> Result<(), StoreError> {
/// let server = store.check().await?;
/// if server.evicts() == Some(true) {
///     tracing::warn!(policy = server.eviction_policy(), "set `maxmemory-policy noeviction`");
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerInfo {
    pub(super) version: Option<Box<str>>,
    pub(super) eviction_policy: Option<Box<str>>,
}

impl ServerInfo {
    /// Returns the version, such as `7.2.4`, or `None` if the server does not report it.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// Returns the `maxmemory-policy`, or `None` if the account may not send `INFO`.
    #[must_use]
    pub fn eviction_policy(&self) -> Option<&str> {
        self.eviction_policy.as_deref()
    }

    /// Returns whether the server deletes keys when its memory is full, which ends sessions early.
    /// `None` if that is unknown.
    ///
    /// The policies `volatile-…` count too: every session has a time to live.
    #[must_use]
    pub fn evicts(&self) -> Option<bool> {
        self.eviction_policy().map(|policy| policy != "noeviction")
    }

    /// Adds what another master of a cluster reports.
    #[cfg(feature = "cluster")]
    pub(super) fn merge(&mut self, other: Self) {
        if self.evicts() != Some(true) && other.eviction_policy.is_some() {
            self.eviction_policy = other.eviction_policy;
        }
        self.version = self.version.take().or(other.version);
    }
}

/// Reads the eviction policy; `None` if the account may not read it.
pub(super) async fn eviction_policy(
    connection: &mut MultiplexedConnection,
) -> Result<Option<Box<str>>, RedisError> {
    let info = connection
        .send_packed_command(cmd("INFO").arg("memory"))
        .await?;
    let info = match info {
        Value::BulkString(bytes) => String::from_utf8(bytes).unwrap_or_default(),
        Value::VerbatimString { text, .. } => text,
        _ => return Ok(None),
    };
    let mut lines = info.lines();
    let policy = lines.find_map(|line| line.strip_prefix("maxmemory_policy:"));
    Ok(policy.map(Into::into))
}

#[cfg(test)]
mod tests {
    use super::ServerInfo;

    fn info(version: Option<&str>, eviction_policy: Option<&str>) -> ServerInfo {
        ServerInfo {
            version: version.map(Into::into),
            eviction_policy: eviction_policy.map(Into::into),
        }
    }

    #[test]
    fn every_policy_but_noeviction_evicts() {
        for (policy, evicts) in [
            (None, None),
            (Some("noeviction"), Some(false)),
            (Some("volatile-ttl"), Some(true)),
            (Some("allkeys-lru"), Some(true)),
        ] {
            assert_eq!(info(None, policy).evicts(), evicts, "{policy:?}");
        }
    }

    #[cfg(feature = "cluster")]
    #[test]
    fn a_cluster_evicts_if_one_master_does() {
        let mut all = ServerInfo::default();
        for (policy, evicts) in [
            (None, None),
            (Some("noeviction"), Some(false)),
            (None, Some(false)),
            (Some("allkeys-lru"), Some(true)),
            (Some("noeviction"), Some(true)),
        ] {
            all.merge(info(Some("7"), policy));
            assert_eq!(all.evicts(), evicts, "{policy:?}");
        }
        assert_eq!(all.version(), Some("7"));
    }
}
