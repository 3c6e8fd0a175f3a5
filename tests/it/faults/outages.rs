//! Servers that are away, and applications that go on without.

use std::time::Duration;

use jwt_redis_session::RedisStore;

use super::http::{Site, app};
use super::sessions;
use crate::support::eventually;
use crate::support::proxy::Proxy;
use crate::support::redis_server::RedisServer;

async fn site(url: &str) -> Site {
    let store = RedisStore::lazy(url).expect("a good url");
    Site::open(app(sessions(store))).await
}

/// Waits until somebody can log in.
async fn login(site: &Site) -> String {
    eventually("served", || async {
        let answer = site.ask("/login/jo", None).await;
        (answer.status == 200).then_some(answer.body)
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_an_application_starts_without_redis_and_serves_when_it_comes() {
    let mut server = RedisServer::start();
    server.kill();
    let site = site(&server.url()).await;
    site.ask("/login/jo", None).await.is_outage();
    let look = site.ask("/look", None).await.fine();
    assert!(look.starts_with("Absent"), "{look}");
    server.restart();
    let token = login(&site).await;
    site.ask("/read", Some(&token)).await.fine();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f02_after_a_restart_sessions_are_what_redis_kept() {
    let aof = ["--appendonly", "yes", "--appendfsync", "always"];
    for (arguments, kept) in [(&[][..], false), (&aof[..], true)] {
        let mut server = RedisServer::start_with(arguments);
        let site = site(&server.url()).await;
        let token = login(&site).await;
        server.kill();
        site.ask("/read", Some(&token)).await.is_outage();
        server.restart();
        login(&site).await;
        let status = site.ask("/read", Some(&token)).await.status;
        assert_eq!(status, if kept { 200 } else { 401 });
    }
}

/// Requests without a token do not even ask, however slow Redis is.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_request_without_a_token_never_waits_for_redis() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let site = site(&proxy.url()).await;
    let token = login(&site).await;
    proxy.blackhole(true);
    let asked = (0..20).map(|_| site.ask("/read", Some(&token)));
    let stuck = futures_util::future::join_all(asked);
    let free = async {
        for path in ["/look", "/read"] {
            for token in [None, Some("not.a.token")] {
                site.ask(path, token).await;
            }
        }
    };
    let free_first = async {
        tokio::time::timeout(Duration::from_millis(400), free)
            .await
            .expect("no store is asked");
    };
    let (stuck, ()) = tokio::join!(stuck, free_first);
    stuck.iter().for_each(super::http::Answer::is_outage);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f08_a_password_that_is_wrong_meanwhile_is_an_outage_and_no_more() {
    let server = RedisServer::start();
    server.run(&["CONFIG", "SET", "requirepass", "one"]);
    let url = server.url().replace("redis://", "redis://:one@");
    let site = site(&url).await;
    let token = login(&site).await;
    let admin = |password: &str, words: &[&str]| {
        let url = server
            .url()
            .replace("redis://", &format!("redis://:{password}@"));
        crate::support::redis_server::admin(&url, words).expect("redis answers")
    };
    admin("one", &["CONFIG", "SET", "requirepass", "two"]);
    admin(
        "two",
        &["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"],
    );
    eventually("turned away", || async {
        let look = site.ask("/look", Some(&token)).await.fine();
        look.contains("Auth").then_some(())
    })
    .await;
    site.ask("/read", Some(&token)).await.is_outage();
    admin("two", &["CONFIG", "SET", "requirepass", "one"]);
    login(&site).await;
    site.ask("/read", Some(&token)).await.fine();
}

/// F17: connections that are killed all the time cost some answers and no session.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f17_killed_connections_never_look_like_lost_sessions() {
    let server = RedisServer::start();
    let site = site(&server.url()).await;
    let token = login(&site).await;
    let (mut fine, mut outages) = (0, 0);
    for round in 0..300 {
        if round % 10 == 0 {
            server.run(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
        }
        let answer = site.ask("/update/1", Some(&token)).await;
        match answer.status {
            200 => fine += 1,
            _ => {
                answer.is_outage();
                outages += 1;
            }
        }
    }
    eprintln!("f17: {fine} fine, {outages} outages");
    assert!(fine > 200, "{fine} fine, {outages} outages");
}
