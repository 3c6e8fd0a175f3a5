//! Parsing of Redis URLs.

use std::borrow::Cow;

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo};

use super::config::RedisConfig;
use super::credentials::with_credentials;
use crate::store::error::{Result, StoreError, StoreErrorKind};

const ENCODE: &str = "user and password must be percent-encoded in a url \
     (/ %2F, ? %3F, # %23, @ %40, % %25), or be given by RedisConfig::credentials";

#[cfg(feature = "cluster")]
const REDIS_PORT: u16 = 6379;
const SENTINEL_PORT: u16 = 26379;

/// Where Redis is.
pub(super) enum Location {
    /// One server.
    Server(ConnectionInfo),
    /// The master of the service that the sentinels know by a name.
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
             redis-sentinel://…",
        );
    };
    let kind = match parsed.scheme().ends_with("unix") {
        true => Kind::Socket,
        false => kind,
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

fn location(config: &RedisConfig, kind: Kind, first: ConnectionInfo) -> Result<Location> {
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
            let Some(service_name) = config.service_name.clone() else {
                return invalid("redis-sentinel:// needs the parameter sentinelServiceName");
            };
            let mut settings = redis::RedisConnectionInfo::default().set_skip_set_lib_name();
            // Sentinels have accounts of their own, which are not those of the master.
            if let Some(password) = &config.sentinel_password {
                let user = config.sentinel_user.as_deref().unwrap_or_default();
                settings = with_credentials(settings, user, password);
            }
            let sentinel = first.clone().set_redis_settings(settings);
            Ok(Location::Sentinel {
                sentinels: with_nodes(config, sentinel, SENTINEL_PORT)?,
                service_name,
                master: first,
            })
        }
        _ if config.nodes.is_empty() && config.service_name.is_none() => {
            Ok(Location::Server(first))
        }
        _ => invalid("nodes and a service name need redis-cluster:// or redis-sentinel://"),
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
        settings = with_credentials(settings, user, password);
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
        let Some((host, port)) = host_and_port(node, default_port) else {
            return invalid("a node must be host, host:port or [v6]:port");
        };
        nodes.push(at(&nodes[0], host, port));
    }
    Ok(nodes)
}

/// Reads `host`, `host:port`, `[v6]` or `[v6]:port`.
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
mod tests {
    use crate::RedisConfig;
    use crate::store::StoreError;

    use super::Location;

    fn parse(url: &str) -> Result<redis::ConnectionInfo, StoreError> {
        server(&RedisConfig::new(url))
    }

    fn server(config: &RedisConfig) -> Result<redis::ConnectionInfo, StoreError> {
        match super::parse(config)? {
            Location::Server(info) => Ok(info),
            #[cfg(any(feature = "cluster", feature = "sentinel"))]
            _ => panic!("not one server"),
        }
    }

    #[test]
    fn every_form_is_read() {
        for (url, address, database, password) in [
            ("redis://127.0.0.1/", "127.0.0.1:6379", 0, None),
            ("redis://localhost:7000/3", "localhost:7000", 3, None),
            ("redis://:p%40ss@[::1]:1/2", "::1:1", 2, Some("p@ss")),
            ("valkey://user:a@b@host", "host:6379", 0, Some("a@b")),
            (
                "redis://:a+b=@host/?protocol=resp3",
                "host:6379",
                0,
                Some("a+b="),
            ),
            ("redis://:a%zz@host", "host:6379", 0, Some("a%zz")),
            ("redis://:a:b@host", "host:6379", 0, Some("a:b")),
            ("redis://:p%2F%3F%23%25@host", "host:6379", 0, Some("p/?#%")),
            ("unix:///run/a@b.sock", "/run/a@b.sock", 0, None),
            (
                "redis+unix:///r.sock?db=4&user=u&pass=p",
                "/r.sock",
                4,
                Some("p"),
            ),
        ] {
            let info = parse(url).unwrap();
            assert_eq!(info.addr().to_string(), address, "{url}");
            assert_eq!(info.redis_settings().db(), database, "{url}");
            assert_eq!(info.redis_settings().password(), password, "{url}");
        }
    }

    #[test]
    fn what_would_be_misunderstood_is_rejected() {
        for url in [
            "",
            "127.0.0.1:6379",
            "http://secret@host",
            "redis://",
            "redis://0.0.0.0/",
            "redis://host/?db=3",
            "redis://host/?pass=secret",
            "redis://host/-1",
            "redis://host/secret",
            "redis://host/1/2",
            "redis://secret@host",
            "redis://host/?protocol=secret",
            "redis-sentinel://secret@host",
            "redis+socket:///secret",
            "unix:///r.sock?user=secret",
            "unix:///r.sock?db=secret",
            "rediss://host/#insecure",
        ] {
            let error = parse(url).unwrap_err();
            assert_eq!(error.kind().as_str(), "configuration", "{url}");
            assert!(!format!("{error} {error:?}").contains("secret"), "{url}");
        }
    }

    #[test]
    fn credentials_that_end_the_authority_must_be_percent_encoded() {
        let passwords = "ab/cd= a?b a#b secret/ / ? # a@b/c /:p";
        let urls = passwords.split(' ').flat_map(|password| {
            ["redis", "rediss", "valkey"]
                .into_iter()
                .flat_map(move |scheme| {
                    ["host", "host:6379/0", "[::1]:1"]
                        .map(|rest| format!("{scheme}://:{password}@{rest}"))
                })
        });
        let others = ["redis://u:12#b@host", "unix:///r.sock?pass=a#b"];
        for url in urls.chain(others.map(str::to_owned)) {
            let error = parse(&url).unwrap_err().to_string();
            assert!(error.contains("percent-encoded"), "{url}: {error}");
            assert!(!error.contains("secret"), "{url}: {error}");
        }
    }

    #[test]
    fn separate_credentials_replace_those_of_the_url() {
        let password = "p/?#@% +ü";
        for url in ["redis://host", "redis://old:older@host", "unix:///r.sock"] {
            for user in ["", "app@/"] {
                let config = RedisConfig::new(url).credentials(user, password);
                let info = server(&config).unwrap();
                let settings = info.redis_settings();
                assert_eq!(settings.password(), Some(password), "{url}");
                if !user.is_empty() {
                    assert_eq!(settings.username(), Some(user), "{url}");
                }
                assert!(!format!("{config:?}").contains("p/"), "{config:?}");
            }
        }
    }

    #[cfg(not(feature = "tls"))]
    #[test]
    fn the_missing_feature_is_named() {
        let error = parse("rediss://host").unwrap_err();
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }
}
