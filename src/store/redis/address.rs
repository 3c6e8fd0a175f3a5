//! Parsing of Redis URLs.

use redis::{ConnectionInfo, IntoConnectionInfo};

use super::config::RedisConfig;
use crate::store::error::{Result, StoreError, StoreErrorKind};

const ENCODE: &str = "user and password must be percent-encoded in a url \
     (/ %2F, ? %3F, # %23, @ %40, % %25), or be given by RedisConfig::credentials";

/// Reads the URL of `config` and rejects what the client library would silently misunderstand.
///
/// No message repeats any part of the URL: a password may be anywhere in it.
pub(super) fn parse(config: &RedisConfig) -> Result<ConnectionInfo> {
    let url = config.url.as_str();
    if splits_credentials(url) {
        return invalid(ENCODE);
    }
    let Some(parsed) = redis::parse_redis_url(url) else {
        return invalid("the url must be redis://…, rediss://… or unix:///…");
    };
    let socket = parsed.scheme().ends_with("unix");
    if matches!(parsed.scheme(), "rediss" | "valkeys") && !cfg!(feature = "tls") {
        return invalid("rediss:// needs the feature `tls` of jwt-redis-session");
    }
    if parsed.fragment().is_some() {
        return invalid(ENCODE);
    }
    for (name, value) in parsed.query_pairs() {
        match (&*name, socket) {
            ("protocol", _) | ("user" | "pass", true) => {}
            ("db", true) if is_database(&value) => {}
            ("db", true) => return invalid("the database is not a number from 0 up"),
            ("db", false) => return invalid("the database is given by the path: redis://host/3"),
            _ => return invalid("the url has an unknown parameter"),
        }
    }
    if !socket && !is_database(parsed.path().trim_matches('/')) {
        return invalid("the database is not a number from 0 up");
    }
    if !parsed.username().is_empty() && parsed.password().is_none() {
        return invalid("the url names a user but no password");
    }
    let info = parsed.into_connection_info().or_else(|_| {
        invalid("the url has no host, a wildcard host, no path or an unknown protocol")
    })?;
    with_settings(config, info)
}

fn with_settings(config: &RedisConfig, info: ConnectionInfo) -> Result<ConnectionInfo> {
    let mut settings = info.redis_settings().clone();
    if settings.username().is_some() && settings.password().is_none() {
        return invalid("the url names a user but no password");
    }
    if let Some((user, password)) = &config.credentials {
        // An empty name is the default user. Servers before version 6 accept it only unnamed.
        if !user.is_empty() {
            settings = settings.set_username(user);
        }
        settings = settings.set_password(password);
    }
    // Not worth two commands at each connection, which least-privilege accounts would have to allow.
    let settings = settings.set_skip_set_lib_name();
    Ok(info.set_redis_settings(settings))
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

    fn parse(url: &str) -> Result<redis::ConnectionInfo, StoreError> {
        super::parse(&RedisConfig::new(url))
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
                let info = super::parse(&config).unwrap();
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
