//! TLS to one server, to a cluster and through sentinels.

use super::*;
use crate::support::certificates::Certificates;
#[cfg(feature = "cluster")]
use crate::support::redis_cluster::RedisCluster;
#[cfg(feature = "sentinel")]
use crate::support::redis_sentinels::RedisSentinels;

fn trusting(certificates: &Certificates, url: &str) -> RedisConfig {
    let ca = std::fs::read(certificates.ca()).expect("a file of PEM");
    patient(url).root_certificate(ca)
}

fn with_certificate(certificates: &Certificates, url: &str) -> RedisConfig {
    let file = |path| std::fs::read(path).expect("a file of PEM");
    let (chain, key) = (certificates.certificate(), certificates.key());
    trusting(certificates, url).client_certificate(file(chain), file(key))
}

/// Starts a server, or several, with TLS and `more` arguments.
fn with_tls<S>(certificates: &Certificates, more: &[&str], start: impl FnOnce(&[&str]) -> S) -> S {
    let arguments = certificates.server_arguments();
    let arguments = arguments.iter().map(String::as_str);
    start(&arguments.chain(more.iter().copied()).collect::<Vec<_>>())
}

/// Asserts that the store serves with the client certificate, and not without one.
async fn requires_the_certificate(certificates: &Certificates, url: &str) {
    let store = with_certificate(certificates, url).connect().await;
    conformance::check(store.expect("connect")).await;
    let anonymous = trusting(certificates, url).connect().await;
    let error = anonymous.expect_err("no certificate");
    assert_eq!(error.kind(), StoreErrorKind::Connection, "{error}");
}

#[tokio::test]
async fn rediss_verifies_the_certificate_and_works() {
    let certificates = Certificates::make();
    let optional = ["--tls-auth-clients", "optional"];
    let server = with_tls(&certificates, &optional, RedisServer::start_with);
    let port = server.tls_port().expect("a port for TLS");
    let url = format!("rediss://127.0.0.1:{port}/");
    let store = trusting(&certificates, &url).connect().await;
    conformance::check(store.expect("connect")).await;
    let known = with_certificate(&certificates, &url).connect().await;
    known.expect("connect");

    let other_name = format!("rediss://localhost:{port}/");
    for untrusted in [patient(&url), trusting(&certificates, &other_name)] {
        let error = untrusted.connect().await.expect_err("not trusted");
        assert_eq!(error.kind(), StoreErrorKind::Connection, "{error}");
        let text = error.to_string();
        assert!(text.contains("tls handshake failed"), "{text}");
    }
}

#[tokio::test]
async fn a_server_without_tls_is_named_as_the_reason() {
    let server = RedisServer::start();
    let url = format!("rediss://{}/", server.address());
    let error = RedisConfig::new(url).connect().await.expect_err("no tls");
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    let text = error.to_string();
    assert!(text.contains("no answer to the tls handshake"), "{text}");
}

#[test]
fn certificates_that_cannot_be_used_are_rejected() {
    for (url, text) in [
        ("redis://127.0.0.1", "need rediss://"),
        ("rediss://127.0.0.1", "cannot be read"),
        #[cfg(feature = "cluster")]
        ("redis-cluster://127.0.0.1", "need rediss://"),
        #[cfg(feature = "cluster")]
        ("rediss-cluster://127.0.0.1", "cannot be read"),
        #[cfg(feature = "sentinel")]
        (
            "redis-sentinel://127.0.0.1?sentinelServiceName=m",
            "need rediss://",
        ),
        #[cfg(feature = "sentinel")]
        (
            "rediss-sentinel://127.0.0.1?sentinelServiceName=m",
            "cannot be read",
        ),
    ] {
        for config in [
            RedisConfig::new(url).root_certificate("no PEM"),
            RedisConfig::new(url).client_certificate("no PEM", "no PEM"),
        ] {
            let error = config.lazy().expect_err(url);
            assert_eq!(error.kind(), StoreErrorKind::Configuration, "{url}");
            assert!(error.to_string().contains(text), "{url}: {error}");
        }
    }
}

#[tokio::test]
async fn a_client_certificate_opens_one_server() {
    let certificates = Certificates::make();
    let server = with_tls(&certificates, &[], RedisServer::start_with);
    let port = server.tls_port().expect("a port for TLS");
    requires_the_certificate(&certificates, &format!("rediss://127.0.0.1:{port}")).await;
}

/// The nodes speak TLS among themselves too.
#[cfg(feature = "cluster")]
#[tokio::test]
async fn a_client_certificate_opens_all_nodes_of_a_cluster() {
    let certificates = Certificates::make();
    let all = ["--tls-cluster", "yes", "--tls-replication", "yes"];
    let start = |arguments: &[&str]| RedisCluster::start_with(3, arguments);
    let mut cluster = with_tls(&certificates, &all, start);
    requires_the_certificate(&certificates, &cluster.url()).await;

    // The next master is known by what the nodes say, and not by the URL.
    let store = with_certificate(&certificates, &cluster.url());
    let store = store.connect().await.expect("connect");
    cluster.node_mut(0).kill();
    let serves = || async { store.ping().await.ok() };
    crate::support::eventually("failover", serves).await;
}

#[cfg(feature = "sentinel")]
#[tokio::test]
async fn a_client_certificate_opens_sentinels_and_master() {
    let certificates = Certificates::make();
    let settings = certificates.server_settings().into_iter();
    let lines = settings.map(|(name, value)| format!("{name} {value}\n"));
    let lines = lines.collect::<String>() + "tls-replication yes\n";
    let start = |arguments: &[&str]| RedisSentinels::start_with(arguments, &lines);
    let mut sentinels = with_tls(&certificates, &["--tls-replication", "yes"], start);
    requires_the_certificate(&certificates, &sentinels.url()).await;

    let store = with_certificate(&certificates, &sentinels.url());
    let store = store.connect().await.expect("connect");
    sentinels.server_mut(0).kill();
    let serves = || async { store.insert(record("k", b"v")).await.ok() };
    crate::support::eventually("failover", serves).await;
}
