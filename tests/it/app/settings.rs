//! The settings of the app, its start and its end.

use super::process::{App, rejected};
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

#[tokio::test]
async fn settings_come_from_the_environment() {
    let secret = "0123456789".repeat(7);
    let redis = RedisServer::start();
    let settings = [
        ("REDIS_URL", &*redis.url()),
        ("JWT_SECRET", &secret),
        ("JWT_ALGORITHM", "HS512"),
        ("KEYSPACE", "mine:"),
        ("MAX_AGE", "100"),
        ("ABSOLUTE_LIFETIME", "50"),
        ("LAZY", "1"),
    ];
    let (one, two) = (App::start(&settings), App::start(&settings));
    let token = one.log_in("jo").await;
    assert!(
        token.starts_with("eyJhbGciOiJIUzUxMiI"),
        "not HS512: {token}"
    );
    let id = two.ok("GET /session/read", &token, "").await["id"].take();
    let key = format!("mine:{}", id.as_str().unwrap());
    assert_eq!(redis.run(&["EXISTS", &key]), redis::Value::Int(1));
    let list = two.ok("GET /session/list", &token, "").await["sessions"][0].take();
    let lives = list["expires"].as_i64().unwrap() - list["created"].as_i64().unwrap();
    assert!((45..=51).contains(&lives), "{lives}");
    // Under `LAZY` a route that does not use its session does not wait for Redis.
    redis.pause();
    for start in ["GET /health", "GET /"] {
        assert_eq!(two.call(start, &token, "").await.status(), 200);
    }
    two.error(503, "GET /session/read", &token, "").await;
    redis.resume();
}

#[test]
fn a_wrong_setting_is_an_error_that_names_it() {
    for (name, value) in [
        ("LISTEN", "nowhere"),
        ("REDIS_URL", "http://x"),
        ("REDIS_URL", ""),
        ("JWT_SECRET", "abc123"),
        ("JWT_ALGORITHM", "RS256"),
        ("MAX_AGE", "0"),
        ("MAX_AGE", "99999999999"),
        ("ABSOLUTE_LIFETIME", "-1"),
        ("LAZY", "yes"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let (code, text) = rejected(name, value);
        assert_eq!(code, Some(2), "{name}={value}: {text}");
        let error = text.lines().last().unwrap_or_default();
        assert!(
            error.starts_with("error: ") && error.contains(name),
            "{text}"
        );
        assert!(!text.contains("abc123"));
    }
}

#[tokio::test]
async fn the_app_starts_without_redis() {
    let mut redis = RedisServer::start();
    redis.kill();
    let app = App::start(&[("REDIS_URL", &redis.url())]);
    assert_eq!(app.call("GET /health", "", "").await.body(), "ok");
    let create = "GET /session/create?username=jo&password=p";
    app.error(503, create, "", "").await;
    redis.restart();
    eventually("logins work", async || {
        let answer = app.call(create, "", "").await;
        (answer.status() == 200).then_some(())
    })
    .await;
    let (_, log) = app.terminate();
    assert!(log.contains("Redis is not reachable"), "{log}");
}

#[tokio::test]
async fn sigterm_ends_the_app_and_the_log_has_no_secret() {
    let app = App::start(&[]);
    let token = app.log_in("jo-the-owner").await;
    app.ok("GET /session/read", &token, "").await;
    // A client that sends nothing does not delay the end for ever.
    let _silent = std::net::TcpStream::connect(app.address).unwrap();
    let (status, log) = app.terminate();
    assert!(status.success(), "{status}");
    for text in [
        "REDIS_URL is not set",
        "JWT_SECRET is not set",
        "/session/create",
    ] {
        assert!(log.contains(text), "{log}");
    }
    let claims = token.split('.').nth(1).unwrap();
    for secret in [claims, "p4ssw0rd", "jo-the-owner"] {
        assert!(!log.contains(secret), "{log}");
    }
}
