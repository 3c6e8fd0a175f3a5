//! Where a Redis URL points.

use std::time::Duration;

use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{ConnectionInfo, IntoConnectionInfo};

use crate::store::error::{StoreError, StoreErrorKind};

/// Reads `url` and refuses what the client library would silently misunderstand.
///
/// No message repeats any part of the URL: a password may stand where none was expected.
pub(super) fn parse(url: &str) -> Result<ConnectionInfo, StoreError> {
    let Some(parsed) = redis::parse_redis_url(url) else {
        return refuse("the url must be redis://…, rediss://… or unix:///…");
    };
    let tls = matches!(parsed.scheme(), "rediss" | "valkeys");
    let socket = parsed.scheme().ends_with("unix");
    if tls && !cfg!(feature = "tls") {
        return refuse("rediss:// needs the feature `tls` of jwt-redis-session");
    }
    if parsed.fragment().is_some() {
        return refuse("the url holds a #; in a password it is written %23");
    }
    for (name, value) in parsed.query_pairs() {
        match (&*name, socket) {
            ("protocol", _) | ("user" | "pass", true) => {}
            ("db", true) if is_database(&value) => {}
            ("db", true) => return refuse("the database is not a number from 0 up"),
            ("db", false) => return refuse("the database stands in the path: redis://host/3"),
            _ => return refuse("the url has an unknown parameter"),
        }
    }
    if !socket && !is_database(parsed.path().trim_matches('/')) {
        return refuse("the database is not a number from 0 up");
    }
    if !parsed.username().is_empty() && parsed.password().is_none() {
        return refuse("the url names a user but no password");
    }
    let info = parsed.into_connection_info().or_else(|_| {
        refuse("the url has no host, a wildcard host, no path or an unknown protocol")
    })?;
    if info.redis_settings().username().is_some() && info.redis_settings().password().is_none() {
        return refuse("the url names a user but no password");
    }
    // Not worth two commands at each connection, which least-privilege accounts would refuse.
    let settings = info.redis_settings().clone().set_skip_set_lib_name();
    Ok(info.set_redis_settings(settings).set_tcp_settings(tcp()))
}

fn is_database(text: &str) -> bool {
    text.is_empty() || (text.len() < 10 && text.bytes().all(|byte| byte.is_ascii_digit()))
}

fn refuse<T>(detail: &'static str) -> Result<T, StoreError> {
    Err(StoreError::new(StoreErrorKind::Configuration).with_detail(detail))
}

/// Finds a dead peer in seconds: unacknowledged data by the user timeout, silence by keepalive.
/// Without these the kernel tries for a quarter of an hour.
fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(5))
        .with_interval(Duration::from_secs(1))
        .with_retries(2);
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive);
    #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
    let settings = settings.set_user_timeout(Duration::from_secs(2));
    settings
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_every_form() {
        for (url, address, database) in [
            ("redis://127.0.0.1/", "127.0.0.1:6379", 0),
            ("redis://localhost:7000/3", "localhost:7000", 3),
            ("redis://:p%40ss@[::1]:1/2", "::1:1", 2),
            ("valkey://user:pass@host", "host:6379", 0),
            ("redis://host/?protocol=resp3", "host:6379", 0),
            ("unix:///run/redis.sock", "/run/redis.sock", 0),
            ("redis+unix:///r.sock?db=4&user=u&pass=p", "/r.sock", 4),
        ] {
            let info = parse(url).unwrap();
            assert_eq!(info.addr().to_string(), address, "{url}");
            assert_eq!(info.redis_settings().db(), database, "{url}");
        }
    }

    #[test]
    fn refuses_what_would_be_misunderstood() {
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
            "redis://:sec#ret@host",
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

    #[cfg(not(feature = "tls"))]
    #[test]
    fn says_which_feature_is_off() {
        let error = parse("rediss://host").unwrap_err();
        assert!(error.to_string().contains("feature `tls`"), "{error}");
    }
}
