//! Servers that refuse, and what the clients of an application then read.

use std::time::Duration;

use jwt_redis_session::{RedisStore, SessionError, TokenRejection};

use super::http::{Site, app};
use super::{connect, created, open, sessions};
use crate::support::proxy::Proxy;
use crate::support::redis_server::{RedisServer, admin};
use crate::support::{eventually, rounds};

/// An application on `server`, and the token of a session of `jo`.
async fn site(server: &RedisServer) -> (Site, String) {
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let site = Site::open(app(sessions(store))).await;
    let token = site.ask("/login/jo", None).await.fine();
    (site, token)
}

fn size(server: &RedisServer) -> i64 {
    redis::from_redis_value(server.run(&["DBSIZE"])).expect("a number")
}

/// Waits until a request with the token is served again.
async fn back(site: &Site, token: Option<&str>) {
    eventually("served again", || async {
        (site.ask("/read", token).await.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_hung_redis_is_an_outage_in_time_and_over_when_it_goes_on() {
    let server = RedisServer::start();
    let (site, token) = site(&server).await;
    let token = Some(&*token);
    server.pause();
    for path in ["/login/al", "/read", "/logout"] {
        let asked = tokio::time::timeout(Duration::from_secs(3), site.ask(path, token));
        asked.await.expect("in time").is_outage();
    }
    let look = site.ask("/look", token).await.fine();
    assert!(look.starts_with("Unavailable"), "{look}");
    server.resume();
    back(&site, token).await;
    site.ask("/logout", token).await.fine();
    assert_eq!(site.ask("/read", token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f09_a_read_only_redis_refuses_changes_and_its_sessions_can_be_read() {
    let server = RedisServer::start();
    let (site, token) = site(&server).await;
    let token = Some(&*token);
    server.run(&["REPLICAOF", "127.0.0.1", "1"]);
    for path in [
        "/login/al",
        "/update/1",
        "/rotate",
        "/logout",
        "/logout-everywhere",
    ] {
        site.ask(path, token).await.is_outage();
    }
    assert_eq!(site.ask("/read", token).await.fine(), r#"{"a":1}"#);
    server.run(&["REPLICAOF", "NO", "ONE"]);
    site.ask("/logout", token).await.fine();
    assert_eq!(site.ask("/read", token).await.status, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f11_a_full_redis_is_an_outage_for_writers_and_leaves_nothing_half_written() {
    let server = RedisServer::start();
    let (site, token) = site(&server).await;
    let token = Some(&*token);
    let before = size(&server);
    server.run(&["CONFIG", "SET", "maxmemory", "1mb"]);
    for path in ["/login/al", "/login/jo", "/update/1", "/rotate"] {
        site.ask(path, token).await.is_outage();
    }
    eventually("nothing is left behind", || async {
        (size(&server) == before).then_some(())
    })
    .await;
    assert_eq!(site.ask("/read", token).await.fine(), r#"{"a":1}"#);
    site.ask("/logout", token).await.fine();
    assert_eq!(site.ask("/read", token).await.status, 401);
    assert_eq!(size(&server), 0);
    server.run(&["CONFIG", "SET", "maxmemory", "0"]);
    site.ask("/login/al", None).await.fine();
}

/// A session that the server has evicted is unknown, like one that has ended: no error.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f12_an_evicted_session_is_unknown_and_nothing_fails() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "volatile-lru"]);
    let store = RedisStore::connect(&server.url()).await.expect("connect");
    let sessions = sessions(store);
    server.run(&["CONFIG", "SET", "maxmemory", "3mb"]);
    let mut tokens = Vec::new();
    for number in 0..rounds(1_500, 6_000) {
        let session = sessions.new_session();
        session.insert("padding", "x".repeat(2_000)).expect("text");
        session.set_owner(format!("owner{}", number % 100)).unwrap();
        tokens.push(session.create().await.expect("room is made"));
    }
    let (mut alive, mut evicted) = (0, 0);
    for token in &tokens {
        match open(&sessions, token).await {
            Ok(session) => {
                alive += 1;
                match session.update().await {
                    Ok(()) | Err(SessionError::Gone) => {}
                    Err(error) => panic!("{error}"),
                }
            }
            Err(SessionError::Rejected(TokenRejection::Unknown)) => evicted += 1,
            Err(error) => panic!("{error}"),
        }
    }
    eprintln!("f12: {alive} alive, {evicted} evicted");
    assert!(alive > 0 && evicted > 0, "{alive} alive, {evicted} evicted");
    let (_, token) = created(&sessions, Some("jo")).await;
    assert!(open(&sessions, &token).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f13_a_loading_redis_is_an_outage_and_not_a_lost_session() {
    let mut server = RedisServer::start_with(&[
        "--key-load-delay",
        "20000",
        "--loading-process-events-interval-bytes",
        "1024",
        "--rdbcompression",
        "no",
    ]);
    let (site, token) = site(&server).await;
    let token = Some(&*token);
    for number in 0..40 {
        server.run(&["SET", &format!("pad{number}"), &"x".repeat(1024)]);
    }
    server.run(&["SAVE"]);
    server.restart_unready();
    eventually("loading", || async {
        let look = site.ask("/look", token).await.fine();
        assert!(!look.contains("Unknown"), "{look}");
        look.contains("Loading").then_some(())
    })
    .await;
    for path in ["/read", "/logout"] {
        let answer = site.ask(path, token).await;
        if answer.status != 200 {
            answer.is_outage();
        }
    }
    let answer = site.ask("/login/al", None).await;
    if answer.status != 200 {
        answer.is_outage();
    }
    eventually("loaded", || async {
        let answer = site.ask("/login/al", None).await;
        (answer.status == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f14_a_busy_redis_is_an_outage_and_forgotten_scripts_are_no_matter() {
    let server = RedisServer::start_with(&["--busy-reply-threshold", "50"]);
    let (site, token) = site(&server).await;
    let token = Some(&*token);
    let url = server.url();
    let script = std::thread::spawn(move || {
        let _ = admin(&url, &["EVAL", "while true do end", "0"]);
    });
    eventually("busy", || async {
        let look = site.ask("/look", token).await.fine();
        assert!(!look.contains("Unknown"), "{look}");
        look.contains("Busy").then_some(())
    })
    .await;
    for path in ["/login/al", "/read", "/update/1", "/logout"] {
        site.ask(path, token).await.is_outage();
    }
    server.run(&["SCRIPT", "KILL"]);
    script.join().expect("the script's client");
    back(&site, token).await;
    for number in 0..3 {
        server.run(&["SCRIPT", "FLUSH"]);
        let body = site.ask(&format!("/update/{number}"), token).await.fine();
        assert!(body.contains(&format!(r#""x":{number}"#)), "{body}");
    }
    server.run(&["SCRIPT", "FLUSH"]);
    let new = site.ask("/rotate", token).await.fine();
    server.run(&["SCRIPT", "FLUSH"]);
    let destroyed = site.ask("/logout-everywhere", Some(&new)).await.fine();
    assert_eq!(destroyed, "1");
}

/// R29: who could not be logged out is not told that he was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_logout_that_redis_refuses_is_an_error() {
    let server = RedisServer::start();
    let (site, token) = site(&server).await;
    let token = Some(&*token);
    std::fs::create_dir(server.dir().join("dump.rdb")).expect("stand in the way");
    server.run(&["CONFIG", "SET", "save", "1 1"]);
    eventually("writes are refused", || async {
        let _ = server.command(&["BGSAVE"]);
        server.command(&["SET", "probe", "1"]).err()
    })
    .await;
    for path in [
        "/logout",
        "/logout-everywhere",
        "/rotate",
        "/update/1",
        "/login/al",
    ] {
        site.ask(path, token).await.is_outage();
    }
    assert_eq!(site.ask("/read", token).await.fine(), r#"{"a":1}"#);
    server.run(&["CONFIG", "SET", "save", ""]);
    site.ask("/logout", token).await.fine();
    assert_eq!(site.ask("/read", token).await.status, 401);
}

/// A create that nobody acknowledged is an outage, and no token gets out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r25_a_create_without_an_acknowledgement_gives_no_token() {
    let server = RedisServer::start();
    let proxy = Proxy::to(server.address()).await;
    let site = Site::open(app(sessions(connect(&proxy).await))).await;
    for _ in 0..5 {
        proxy.cut_replies_after(Some(0));
        let answer = site.ask("/login/jo", None).await;
        answer.is_outage();
        assert!(!answer.body.contains("ey"), "{answer:?}");
        proxy.cut_replies_after(None);
        eventually("served again", || async {
            (site.ask("/login/al", None).await.status == 200).then_some(())
        })
        .await;
    }
}
