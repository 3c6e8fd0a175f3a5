//! Parsing of Redis URLs.

use std::borrow::Cow;

#[cfg(any(feature = "cluster", feature = "sentinel"))]
use redis::ConnectionAddr;
#[cfg(feature = "sentinel")]
use redis::RedisConnectionInfo;
use redis::{ConnectionInfo, IntoConnectionInfo};

use super::config::RedisConfig;
use super::credentials::with_credentials;
use crate::store::error::{Result, StoreError, StoreErrorKind};

const ENCODE: &str = "user and password must be percent-encoded in a url \
     (/ %2F, ? %3F, # %23, @ %40, % %25), or be set apart from it: by RedisConfig::credentials, or \
     in sessiond by store.user and store.password";

#[cfg(feature = "cluster")]
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Kind and addresses of a Redis deployment.
#[allow(clippy::large_enum_variant, reason = "each configuration is read once")]
pub(super) enum Location {
    /// One server.
    Server(ConnectionInfo),
    /// The master of a service, and its sentinels.
    #[cfg(feature = "sentinel")]
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        service_name: String,
        /// Settings for the master, with the address of a sentinel.
        master: ConnectionInfo,
    },
    /// Nodes of a cluster. They lead to all others.
    #[cfg(feature = "cluster")]
    Cluster(Vec<ConnectionInfo>),
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Socket,
    Server,
    Sentinel,
    Cluster,
}

/// Reads the URL of `config` and rejects what the client library would silently misunderstand.
///
/// No message repeats any part of the URL: a password may be anywhere in it.
pub(super) fn parse(config: &RedisConfig) -> Result<Location> {
    if splits_credentials(&config.url) {
        return invalid(ENCODE);
    }
    let (kind, url) = kind_of(&config.url);
    let Some(mut parsed) = redis::parse_redis_url(&url) else {
        return invalid(
            "the url must be redis://…, rediss://…, unix:///…, redis-cluster://… or \
             redis-sentinel://…, with a port up to 65535 if it has one",
        );
    };
    let kind = match (parsed.scheme().ends_with("unix"), kind) {
        (true, Kind::Server) => Kind::Socket,
        (true, _) => return invalid("a cluster and sentinels have no unix:// address"),
        (false, kind) => kind,
    };
    require_features(kind, parsed.scheme())?;
    if parsed.fragment().is_some() {
        return invalid(ENCODE);
    }
    let mut config = config.clone();
    for (name, value) in parsed.query_pairs() {
        read_parameter(&mut config, kind, &name, &value)?;
    }
    let database = parsed.path().trim_matches('/');
    if kind != Kind::Socket && !is_database(database) {
        return invalid("the database is not a number from 0 up");
    }
    if !parsed.username().is_empty() && parsed.password().is_none() {
        return invalid("the url names a user but no password");
    }
    if kind == Kind::Sentinel && parsed.port().is_none() {
        // Fails only for a URL without a host, which is rejected below.
        let _ = parsed.set_port(Some(SENTINEL_PORT));
    }
    let info = parsed.into_connection_info().or_else(|_| {
        invalid("the url has no host, a wildcard host, no path or an unknown protocol")
    })?;
    location(&config, kind, with_settings(&config, info)?)
}

/// Returns the kind of the location, and the URL of its first server.
fn kind_of(url: &str) -> (Kind, Cow<'_, str>) {
    for (suffix, kind) in [("-sentinel", Kind::Sentinel), ("-cluster", Kind::Cluster)] {
        if let Some((scheme, rest)) = url.split_once("://")
            && let Some(scheme) = scheme.strip_suffix(suffix)
        {
            return (kind, format!("{scheme}://{rest}").into());
        }
    }
    (Kind::Server, url.into())
}

fn require_features(kind: Kind, scheme: &str) -> Result<()> {
    match kind {
        Kind::Sentinel if !cfg!(feature = "sentinel") => {
            invalid("redis-sentinel:// needs the feature `sentinel` of jwt-redis-session")
        }
        Kind::Cluster if !cfg!(feature = "cluster") => {
            invalid("redis-cluster:// needs the feature `cluster` of jwt-redis-session")
        }
        _ if matches!(scheme, "rediss" | "valkeys") && !cfg!(feature = "tls") => {
            invalid("rediss:// needs the feature `tls` of jwt-redis-session")
        }
        _ => Ok(()),
    }
}

/// Reads a parameter of the URL into `config`, whose own settings take precedence.
fn read_parameter(config: &mut RedisConfig, kind: Kind, name: &str, value: &str) -> Result<()> {
    match (name, kind) {
        ("protocol", _) | ("user" | "pass", Kind::Socket) => {}
        ("db", Kind::Socket) if is_database(value) => {}
        ("db", Kind::Socket) => return invalid("the database is not a number from 0 up"),
        ("db", _) => return invalid("the database is given by the path: redis://host/3"),
        ("node", Kind::Sentinel | Kind::Cluster) => config.nodes.push(value.to_owned()),
        ("sentinelServiceName", Kind::Sentinel) => {
            config.service_name.get_or_insert_with(|| value.to_owned());
        }
        ("sentinelUsername", Kind::Sentinel) => {
            config.sentinel_user.get_or_insert_with(|| value.to_owned());
        }
        ("sentinelPassword", Kind::Sentinel) => {
            let password = &mut config.sentinel_password;
            password.get_or_insert_with(|| value.to_owned());
        }
        _ => return invalid("the url has an unknown parameter"),
    }
    Ok(())
}

/// Rejects settings that have no effect at this kind of location.
fn check_settings(config: &RedisConfig, kind: Kind) -> Result<()> {
    let (user, password) = (&config.sentinel_user, &config.sentinel_password);
    match kind {
        Kind::Server | Kind::Socket if !config.nodes.is_empty() => {
            invalid("nodes need redis-cluster:// or redis-sentinel://")
        }
        Kind::Sentinel if user.is_some() && password.is_none() => {
            invalid("the sentinels have a user but no password")
        }
        Kind::Sentinel => Ok(()),
        _ if config.service_name.is_some() || password.is_some() => {
            invalid("a service name and credentials of sentinels need redis-sentinel://")
        }
        _ => Ok(()),
    }
}

fn location(config: &RedisConfig, kind: Kind, first: ConnectionInfo) -> Result<Location> {
    check_settings(config, kind)?;
    match kind {
        #[cfg(feature = "cluster")]
        Kind::Cluster => {
            if first.redis_settings().db() != 0 {
                return invalid("a cluster has no other database than 0");
            }
            // A master that is replaced by order says nothing, and stays connected.
            if config.cache.is_some() {
                return invalid(
                    "a cluster cannot keep the bound of a local cache; leave out RedisConfig::cache",
                );
            }
            Ok(Location::Cluster(with_nodes(config, first, REDIS_PORT)?))
        }
        #[cfg(feature = "sentinel")]
        Kind::Sentinel => {
            let named = config.service_name.clone();
            let Some(service_name) = named.filter(|name| !name.is_empty()) else {
                return invalid("redis-sentinel:// needs the parameter sentinelServiceName");
            };
            let mut settings = RedisConnectionInfo::default().set_skip_set_lib_name();
            // The accounts of sentinels are not those of the master.
            if let Some(password) = &config.sentinel_password {
                let user = config.sentinel_user.as_deref().unwrap_or_default();
                settings = with_credentials(&settings, user, password);
            }
            let sentinel = first.clone().set_redis_settings(settings);
            Ok(Location::Sentinel {
                sentinels: with_nodes(config, sentinel, SENTINEL_PORT)?,
                service_name,
                master: first,
            })
        }
        _ => Ok(Location::Server(first)),
    }
}

fn with_settings(config: &RedisConfig, info: ConnectionInfo) -> Result<ConnectionInfo> {
    let mut settings = info.redis_settings().clone();
    if settings.username().is_some() && settings.password().is_none() {
        return invalid("the url names a user but no password");
    }
    if let Some(database) = config.database {
        settings = settings.set_db(database.into());
    }
    if let Some((user, password)) = &config.credentials {
        settings = with_credentials(&settings, user, password);
    }
    if config.cache.is_some() {
        // The server announces changes in this version only.
        settings = settings.set_protocol(redis::ProtocolVersion::RESP3);
    }
    // Not worth two commands at each connection, which least-privilege accounts would have to allow.
    let settings = settings.set_skip_set_lib_name();
    Ok(info.set_redis_settings(settings))
}

/// Returns the settings of `info` at another address.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
pub(super) fn at(info: &ConnectionInfo, host: String, port: u16) -> ConnectionInfo {
    let address = match info.addr() {
        ConnectionAddr::TcpTls { insecure, .. } => ConnectionAddr::TcpTls {
            host,
            port,
            insecure: *insecure,
            tls_params: None,
        },
        _ => ConnectionAddr::Tcp(host, port),
    };
    info.clone().set_addr(address)
}

/// Returns `first` and the other nodes of `config`, which have the same settings.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
fn with_nodes(
    config: &RedisConfig,
    first: ConnectionInfo,
    default_port: u16,
) -> Result<Vec<ConnectionInfo>> {
    let mut nodes = vec![first];
    for node in &config.nodes {
        // A v6 address without brackets may or may not end with a port.
        let is_ambiguous = |host: &str| host.contains(':') && !node.starts_with('[');
        let Some((host, port)) =
            host_and_port(node, default_port).filter(|(host, _)| !is_ambiguous(host))
        else {
            return invalid("a node must be host, host:port, [v6] or [v6]:port");
        };
        let node = at(&nodes[0], host, port);
        // A sentinel that is named twice still has one vote.
        if nodes.iter().all(|known| known.addr() != node.addr()) {
            nodes.push(node);
        }
    }
    Ok(nodes)
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`, and `v6:port`, which nodes write.
#[cfg(any(feature = "cluster", feature = "sentinel"))]
pub(super) fn host_and_port(text: &str, default_port: u16) -> Option<(String, u16)> {
    let (host, port) = match text.rsplit_once(':') {
        // A colon inside of brackets belongs to the host.
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        _ => (text, default_port),
    };
    let host = host
        .strip_prefix('[')
        .map_or(Some(host), |v6| v6.strip_suffix(']'))?;
    (!host.is_empty() && !host.contains(['/', '@'])).then(|| (host.to_owned(), port))
}

/// Whether the credentials of `url` hold a character that ends them for a URL parser: then the
/// `@` behind them is not where the parser looks for it.
fn splits_credentials(url: &str) -> bool {
    let Some((scheme, rest)) = url.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    !scheme.ends_with("unix") && rest[authority.len()..].contains('@')
}

fn is_database(text: &str) -> bool {
    text.is_empty() || (text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn invalid<T>(detail: &'static str) -> Result<T> {
    Err(StoreError::new(StoreErrorKind::Configuration).with_detail(detail))
}

#[cfg(test)]
mod tests;
