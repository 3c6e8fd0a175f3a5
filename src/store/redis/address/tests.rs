//! Every form of URL, and what is rejected.

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
        "redis://host/?node=secret",
        "redis://host/?sentinelServiceName=secret",
        "redis-sentinel://secret@host",
        "redis+secret-cluster://host",
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
            let user = Some(user).filter(|user| !user.is_empty());
            assert_eq!(settings.username(), user, "{url}");
            assert!(!format!("{config:?}").contains("p/"), "{config:?}");
        }
    }
}

#[test]
fn the_database_of_a_method_replaces_that_of_the_url() {
    for url in ["redis://host/3", "redis://host", "unix:///r.sock?db=3"] {
        let info = server(&RedisConfig::new(url).database(5)).unwrap();
        assert_eq!(info.redis_settings().db(), 5, "{url}");
    }
}

#[test]
fn settings_without_effect_are_rejected() {
    for url in ["redis://host", "unix:///r.sock"] {
        let config = || RedisConfig::new(url);
        for (config, named) in [
            (config().nodes(["secret"]), "redis-cluster://"),
            (config().service_name("secret"), "redis-sentinel://"),
            (
                config().sentinel_credentials("", "secret"),
                "redis-sentinel://",
            ),
        ] {
            rejected(&config, named);
        }
    }
}

/// Asserts that `config` is rejected with a message that has `text` and no secret.
fn rejected(config: &RedisConfig, text: &str) {
    let error = super::parse(config).err().expect(text);
    assert_eq!(error.kind().as_str(), "configuration", "{error}");
    let message = format!("{error} {error:?}");
    assert!(message.contains(text), "{message}");
    assert!(!message.contains("secret"), "{message}");
}

/// Each feature is required by its URLs, and named by the error without it.
#[test]
fn the_missing_feature_is_named() {
    for (url, feature, is_on) in [
        ("rediss://host", "tls", cfg!(feature = "tls")),
        ("valkeys://host", "tls", cfg!(feature = "tls")),
        ("redis-cluster://host", "cluster", cfg!(feature = "cluster")),
        (
            "redis-sentinel://host?sentinelServiceName=m",
            "sentinel",
            cfg!(feature = "sentinel"),
        ),
    ] {
        match super::parse(&RedisConfig::new(url)) {
            Ok(_) => assert!(is_on, "{url}"),
            Err(error) => {
                assert!(!is_on, "{url}");
                let named = format!("feature `{feature}`");
                assert!(error.to_string().contains(&named), "{error}");
            }
        }
    }
}

#[cfg(any(feature = "cluster", feature = "sentinel"))]
fn addresses(servers: &[redis::ConnectionInfo]) -> String {
    let servers: Vec<_> = servers.iter().map(|info| info.addr().to_string()).collect();
    servers.join(" ")
}

#[cfg(feature = "cluster")]
mod cluster {
    use super::*;

    fn nodes(config: &RedisConfig) -> Vec<redis::ConnectionInfo> {
        match super::super::parse(config).unwrap() {
            Location::Cluster(nodes) => nodes,
            _ => panic!("no cluster"),
        }
    }

    #[test]
    fn every_form_is_read() {
        for (url, expected) in [
            ("redis-cluster://a", "a:6379"),
            ("redis-cluster://a:1/", "a:1"),
            ("redis-cluster://a/0?node=b&node=c:3", "a:6379 b:6379 c:3"),
            (
                "redis-cluster://a?node=b&node=a:6379&node=b",
                "a:6379 b:6379",
            ),
            ("valkey-cluster://a:1?protocol=resp3&node=b:2", "a:1 b:2"),
            (
                "redis-cluster://[::1]?node=[::2]&node=[::3]:3",
                "::1:6379 ::2:6379 ::3:3",
            ),
            #[cfg(feature = "tls")]
            ("rediss-cluster://a?node=b:2", "a:6379 b:2"),
        ] {
            let nodes = nodes(&RedisConfig::new(url));
            assert_eq!(addresses(&nodes), expected, "{url}");
            let is_tls = |info: &redis::ConnectionInfo| {
                matches!(info.addr(), redis::ConnectionAddr::TcpTls { .. })
            };
            let is_expected = |info| is_tls(info) == url.starts_with("rediss");
            assert!(nodes.iter().all(is_expected), "{url}");
        }
    }

    #[test]
    fn every_node_has_the_settings_of_the_first() {
        let config = RedisConfig::new("redis-cluster://u:p%40@a?node=b").nodes(["c", "[::1]:4"]);
        let all = nodes(&config);
        assert_eq!(addresses(&all), "a:6379 c:6379 ::1:4 b:6379");
        let all = all.into_iter().chain(nodes(&config.credentials("x", "y")));
        let settings = all.map(|info| {
            let settings = info.redis_settings();
            (
                settings.username().map(str::to_owned),
                settings.password().map(str::to_owned),
            )
        });
        let expected = |user: &str, password: &str| {
            vec![(Some(user.to_owned()), Some(password.to_owned())); 4]
        };
        assert_eq!(
            settings.collect::<Vec<_>>(),
            [expected("u", "p@"), expected("x", "y")].concat()
        );
    }

    #[test]
    fn what_would_be_misunderstood_is_rejected() {
        for (url, text) in [
            ("redis-cluster://", "no host"),
            ("redis-cluster://a:1,secret:2", "url must be"),
            ("redis-cluster://secret@a", "no password"),
            ("redis-cluster://a/3", "no other database"),
            ("redis-cluster://a?db=3", "by the path"),
            ("redis-cluster://a?nodes=secret", "unknown parameter"),
            (
                "redis-cluster://a?sentinelServiceName=secret",
                "unknown parameter",
            ),
            ("redis-cluster://a?node=", "a node must be"),
            ("redis-cluster://a?node=secret:", "a node must be"),
            ("redis-cluster://a?node=secret:65536", "a node must be"),
            ("redis-cluster://a?node=:1", "a node must be"),
            ("redis-cluster://a?node=::1", "a node must be"),
            ("redis-cluster://a?node=fe80::1:6379", "a node must be"),
            ("redis-cluster://a?node=[::1", "a node must be"),
            ("redis-cluster://a?node=[::1]secret:1", "a node must be"),
            ("redis-cluster://a?node=redis://secret", "a node must be"),
            ("redis-cluster://a?node=u:secret%40b:1", "a node must be"),
            ("unix-cluster:///secret.sock", "no unix:// address"),
        ] {
            rejected(&RedisConfig::new(url), text);
        }
        let config = || RedisConfig::new("redis-cluster://a");
        rejected(&config().database(3), "no other database");
        rejected(&config().nodes(["user:secret@b"]), "a node must be");
        rejected(&config().service_name("secret"), "redis-sentinel://");
        rejected(
            &config().sentinel_credentials("", "secret"),
            "redis-sentinel://",
        );
    }
}

#[cfg(feature = "sentinel")]
mod sentinel {
    use super::*;

    const NAMED: &str = "redis-sentinel://a?sentinelServiceName=m";

    /// Reads sentinels, service and master as one line, each with `user:password@` if it has any.
    fn read(config: &RedisConfig) -> String {
        let Location::Sentinel {
            sentinels,
            service_name,
            master,
        } = super::super::parse(config).unwrap()
        else {
            panic!("no sentinels");
        };
        let account = |info: &redis::ConnectionInfo| {
            let settings = info.redis_settings();
            match (settings.username(), settings.password()) {
                (None, None) => String::new(),
                (user, password) => format!("{user:?}:{password:?}@").replace('"', ""),
            }
        };
        let database = master.redis_settings().db();
        let of_sentinels = sentinels[0].redis_settings().db();
        assert_eq!(of_sentinels, 0, "sentinels have no databases");
        let (own, other) = (account(&sentinels[0]), account(&master));
        assert!(sentinels.iter().all(|info| account(info) == own));
        format!(
            "{own}{} {service_name} {other}{database}",
            addresses(&sentinels)
        )
    }

    #[test]
    fn every_form_is_read() {
        for (url, expected) in [
            (NAMED, "a:26379 m 0"),
            ("valkey-sentinel://a:1/?sentinelServiceName=m", "a:1 m 0"),
            (
                "redis-sentinel://a/3?node=b&sentinelServiceName=m&node=[::1]&node=[::2]:2",
                "a:26379 b:26379 ::1:26379 ::2:2 m 3",
            ),
            (
                "redis-sentinel://u:p@[::1]?sentinelServiceName=my%20master",
                "::1:26379 my master Some(u):Some(p)@0",
            ),
            (
                "redis-sentinel://:p@a?sentinelServiceName=m&sentinelPassword=s%40%2B",
                "None:Some(s@+)@a:26379 m None:Some(p)@0",
            ),
            (
                "redis-sentinel://a?sentinelServiceName=m&sentinelUsername=t&sentinelPassword=s",
                "Some(t):Some(s)@a:26379 m 0",
            ),
            #[cfg(feature = "tls")]
            (
                "rediss-sentinel://a?node=b&sentinelServiceName=m",
                "a:26379 b:26379 m 0",
            ),
        ] {
            assert_eq!(read(&RedisConfig::new(url)), expected, "{url}");
        }
    }

    #[test]
    fn methods_take_precedence_over_the_url() {
        let url = format!("{NAMED}&node=b&sentinelUsername=t&sentinelPassword=s");
        let config = RedisConfig::new(url.replace("://a", "://u:p@a/3"))
            .service_name("other")
            .nodes(["c:3"])
            .database(5)
            .credentials("", "q")
            .sentinel_credentials("", "r");
        let expected = "None:Some(r)@a:26379 c:3 b:26379 other None:Some(q)@5";
        assert_eq!(read(&config), expected);
        let config = RedisConfig::new("redis-sentinel://a").service_name("m");
        assert_eq!(read(&config), "a:26379 m 0");
        let named = config.sentinel_credentials("t", "s").credentials("u", "p");
        assert_eq!(read(&named), "Some(t):Some(s)@a:26379 m Some(u):Some(p)@0");
    }

    #[test]
    fn what_would_be_misunderstood_is_rejected() {
        for (url, text) in [
            ("redis-sentinel://?sentinelServiceName=m", "no host"),
            (
                "redis-sentinel://a",
                "needs the parameter sentinelServiceName",
            ),
            (
                "redis-sentinel://a?sentinelServiceName=",
                "sentinelServiceName",
            ),
            ("redis-sentinel://a?serviceName=secret", "unknown parameter"),
            (
                "redis-sentinel://a?sentinelServiceName=m&sentinelUsername=secret",
                "no password",
            ),
            (
                "redis-sentinel://a?sentinelServiceName=m&node=::1",
                "a node must be",
            ),
            ("redis-sentinel://a/x?sentinelServiceName=m", "not a number"),
            (
                "redis-sentinel://a?sentinelServiceName=m&sentinelPassword=secret@b",
                "percent-encoded",
            ),
            (
                "unix-sentinel:///r.sock?sentinelServiceName=m",
                "no unix:// address",
            ),
        ] {
            rejected(&RedisConfig::new(url), text);
        }
    }
}
