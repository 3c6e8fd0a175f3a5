//! Credentials that change while the application runs.

use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::*;

/// A password that is kept elsewhere, and how often it was asked for.
#[derive(Clone, Default)]
struct Vault {
    password: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Vault {
    fn set(&self, password: &str) {
        password.clone_into(&mut self.password.lock().expect("no panic"));
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    /// Returns a configuration that asks for the password of `user`.
    fn config(&self, url: &str, user: &'static str) -> RedisConfig {
        let vault = self.clone();
        RedisConfig::new(url).credentials_provider(move || {
            let vault = vault.clone();
            async move {
                vault.asked.fetch_add(1, Ordering::SeqCst);
                let password = vault.password.lock().expect("no panic").clone();
                Ok::<_, io::Error>((user.to_owned(), password))
            }
        })
    }
}

fn set_password(server: &RedisServer, password: &str) {
    let rule = format!(">{password}");
    server.run(&[
        "ACL",
        "SETUSER",
        "app",
        "on",
        "resetpass",
        &rule,
        "~*",
        "+@all",
    ]);
}

fn disconnect(server: &RedisServer) {
    server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
}

#[tokio::test]
async fn the_password_may_change_while_the_store_is_used() {
    let server = RedisServer::start();
    set_password(&server, "first");
    let vault = Vault::default();
    vault.set("first");
    // Those of the URL, user included, are replaced.
    let url = server.url().replace("://", "://other:wrong@");
    let store = vault.config(&url, "app").connect().await.expect("connect");
    assert_eq!(store.insert(record("k", b"v")).await, Ok(true));
    assert_eq!(vault.asked(), 1, "once for each connection");

    set_password(&server, "second");
    disconnect(&server);
    let error = store.load("k").await.expect_err("the former password");
    assert_eq!(error.kind(), StoreErrorKind::Auth, "{error}");
    vault.set("second");
    let served = || async { store.load("k").await.ok().flatten() };
    crate::support::eventually("the next password", served).await;
    let asked = vault.asked();
    disconnect(&server);
    assert!(load(&store, "k").await.is_some());
    assert_eq!(vault.asked(), asked + 1);
}

/// Whatever the URL says: a user that it names must not be kept.
#[tokio::test]
async fn an_empty_user_is_the_default_user() {
    let server = RedisServer::start_with(&["--requirepass", "pw"]);
    let vault = Vault::default();
    vault.set("pw");
    let url = server.url().replace("://", "://other:wrong@");
    vault.config(&url, "").connect().await.expect("connect");
    let fixed = RedisConfig::new(url).credentials("", "pw");
    fixed.connect().await.expect("connect");
}

#[tokio::test]
async fn a_provider_that_fails_is_reported_with_its_cause() {
    let server = RedisServer::start();
    let config = RedisConfig::new(server.url())
        .credentials_provider(|| async { Err::<(String, String), _>("the vault is sealed") });
    let error = config.connect().await.expect_err("no credentials");
    assert_eq!(error.kind(), StoreErrorKind::Auth, "{error}");
    assert!(
        error
            .to_string()
            .contains("the credentials provider failed")
    );
    let cause = error.source().map(ToString::to_string);
    assert_eq!(cause.as_deref(), Some("the vault is sealed"));
}

#[tokio::test]
async fn a_provider_that_hangs_costs_the_connect_timeout() {
    const TIMEOUT: Duration = Duration::from_millis(100);

    let server = RedisServer::start();
    let config = RedisConfig::new(server.url())
        .connect_timeout(TIMEOUT)
        .credentials_provider(std::future::pending::<io::Result<(String, String)>>);
    let store = config.lazy().expect("a store");
    let start = Instant::now();
    let error = store.ping().await.expect_err("no credentials");
    assert_eq!(error.kind(), StoreErrorKind::Timeout, "{error}");
    let took = start.elapsed();
    assert!((TIMEOUT..TIMEOUT * 4).contains(&took), "{took:?}");
}

#[cfg(feature = "cluster")]
#[tokio::test]
async fn every_node_of_a_cluster_gets_the_new_password() {
    let cluster = crate::support::redis_cluster::RedisCluster::start();
    let vault = Vault::default();
    let rotate = |password: &str| {
        cluster
            .nodes()
            .iter()
            .for_each(|node| set_password(node, password));
        vault.set(password);
    };
    rotate("first");
    let store = vault.config(&cluster.url(), "app").connect().await;
    let store = store.expect("connect");
    assert!(vault.asked() >= 3, "each master");
    rotate("second");
    cluster.nodes().iter().for_each(disconnect);
    let served = || async { store.ping().await.ok() };
    crate::support::eventually("the next password", served).await;
    conformance::check(store).await;
}

#[cfg(feature = "sentinel")]
#[tokio::test]
async fn sentinels_are_not_asked_with_the_credentials_of_redis() {
    let sentinels = crate::support::redis_sentinels::RedisSentinels::start();
    set_password(sentinels.server(0), "first");
    let vault = Vault::default();
    vault.set("first");
    // The sentinels have no account `app` and would reject it.
    let store = vault.config(&sentinels.url(), "app").connect().await;
    assert!(load(&store.expect("connect"), "k").await.is_none());
    assert_eq!(vault.asked(), 1, "for the master only");
}
