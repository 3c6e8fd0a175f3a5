//! The routes, the settings, the start and the end of the app.

use serde_json::{Value, json};

use super::process::{App, rejected};
use crate::support::eventually;
use crate::support::redis_server::RedisServer;

const READ: &str = "GET /session/read";
const UPDATE: &str = "POST /session/update";

#[tokio::test]
async fn sessions_are_created_updated_rotated_listed_and_ended() {
    walk(&App::start(&[]).await).await;
    let redis = RedisServer::start();
    walk(&App::start(&[("REDIS_URL", &redis.url())]).await).await;
}

async fn walk(app: &App) {
    let parameters = "username=jo&password=p&theme=dark&accessToken=x";
    let object = r#"{"username":"jo","password":"p","theme":"dark","user":"admin"}"#;
    let mut tokens = Vec::new();
    for (start, body) in [
        (&*format!("GET /session/create?{parameters}"), ""),
        ("POST /session/create?username=al", parameters),
        ("POST /session/create", object),
    ] {
        let created = app.ok(start, "", body).await;
        tokens.push(created["token"].as_str().unwrap().to_owned());
    }
    for (start, body, expected) in [
        ("GET /session/reload", "", r#"{"theme":"dark"}"#),
        (UPDATE, "", r#"{"foo":"bar","theme":"dark"}"#),
        (UPDATE, "theme=x+y%26", r#"{"foo":"bar","theme":"x y&"}"#),
        (
            UPDATE,
            r#"{"foo":null,"n":[1]}"#,
            r#"{"n":[1],"theme":"x y&"}"#,
        ),
        ("POST /session/touch", "", r#"{"n":[1],"theme":"x y&"}"#),
        (READ, "", r#"{"n":[1],"theme":"x y&"}"#),
    ] {
        let mut session = app.ok(start, &tokens[0], body).await["session"].take();
        let user = session.as_object_mut().unwrap().remove("user");
        assert_eq!(user, Some(json!({ "name": "jo" })));
        assert_eq!(session.to_string(), expected);
    }
    let rotated = app.ok("GET /session/rotate", &tokens[0], "").await;
    app.error(401, READ, &tokens[0], "").await;
    walk_to_the_end(app, rotated["token"].as_str().unwrap(), &tokens[1]).await;
}

/// Lists and ends the sessions of `jo`, who has three.
async fn walk_to_the_end(app: &App, token: &str, other: &str) {
    let id = async |token: &str| app.ok(READ, token, "").await["id"].take();
    let listed = app.ok("GET /session/list", token, "").await;
    let listed = listed["sessions"].as_array().unwrap();
    assert_eq!(listed.len(), 3);
    for entry in listed {
        assert_eq!(entry["current"], entry["id"] == id(token).await);
        let lives = entry["expires"].as_i64().unwrap() - entry["created"].as_i64().unwrap();
        assert!((86_390..=86_410).contains(&lives), "{entry}");
    }
    let stranger = app.log_in("stranger").await;
    let named = |id: Value| json!({ "id": id }).to_string();
    let destroy = "POST /session/destroy";
    let foreign = named(id(&stranger).await);
    app.error(404, destroy, token, &foreign).await;
    app.error(400, destroy, token, "id=none").await;
    let named = named(id(other).await);
    assert_eq!(app.call(destroy, token, &named).await.body(), "");
    app.error(401, READ, other, "").await;
    for (route, destroyed) in [("others", 1), ("all", 1)] {
        let start = format!("POST /session/destroy-{route}");
        let answer = app.ok(&start, token, "").await;
        assert_eq!(answer, json!({ "destroyed": destroyed }));
    }
    app.error(401, READ, token, "").await;
    assert_eq!(app.call(destroy, &stranger, "").await.status(), 200);
    app.error(401, READ, &stranger, "").await;
}

#[tokio::test]
async fn errors_are_json() {
    let app = App::start(&[]).await;
    let token = &*app.log_in("jo").await;
    let large = json!({ "large": "x".repeat(1 << 20) }).to_string();
    let huge = json!({ "large": "x".repeat(2 << 20) }).to_string();
    for (status, start, body) in [
        (400, "POST /session/create", "username=jo"),
        (400, "POST /session/create", "username=&password=p"),
        (400, UPDATE, "{"),
        (400, UPDATE, r#"{"_jrs":null}"#),
        (413, UPDATE, &large),
        (413, UPDATE, &huge),
        (404, "GET /session/nothing", ""),
        (405, "DELETE /session/destroy", ""),
    ] {
        app.error(status, start, token, body).await;
    }
    app.error(401, UPDATE, "x.y.z", "").await;
}

#[tokio::test]
async fn settings_come_from_the_environment() {
    let secret = "0123456789".repeat(7);
    let redis = RedisServer::start();
    let app = App::start(&[
        ("REDIS_URL", &*redis.url()),
        ("JWT_SECRET", &secret),
        ("JWT_ALGORITHM", "HS512"),
        ("KEYSPACE", "mine:"),
        ("MAX_AGE", "100"),
        ("ABSOLUTE_LIFETIME", "50"),
        ("LAZY", "1"),
    ])
    .await;
    let token = app.log_in("jo").await;
    assert!(token.starts_with("eyJhbGciOiJIUzUxMiI"), "{token}");
    let id = app.ok(READ, &token, "").await["id"].take();
    let key = format!("mine:{}", id.as_str().unwrap());
    assert_eq!(redis.run(&["EXISTS", &key]), redis::Value::Int(1));
    let list = app.ok("GET /session/list", &token, "").await["sessions"][0].take();
    let lives = list["expires"].as_i64().unwrap() - list["created"].as_i64().unwrap();
    assert!((45..=51).contains(&lives), "{lives}");
    // Under `LAZY` a route that does not use its session does not wait for Redis.
    redis.pause();
    assert_eq!(app.call("GET /health", &token, "").await.body(), "ok");
    let page = app.call("GET /", &token, "").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"));
    app.error(503, READ, &token, "").await;
    redis.resume();
}

#[tokio::test]
async fn wrong_setting_is_an_error_that_names_it() {
    for (name, value) in [
        ("LISTEN", "nowhere"),
        ("REDIS_URL", "http://x"),
        ("JWT_SECRET", "abc123"),
        ("JWT_ALGORITHM", "RS256"),
        ("MAX_AGE", "0"),
        ("ABSOLUTE_LIFETIME", "-1"),
        ("LAZY", "yes"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let (code, text) = rejected(name, value).await;
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
async fn app_starts_without_redis_and_logs_no_secret() {
    let mut redis = RedisServer::start();
    redis.kill();
    let app = App::start(&[("REDIS_URL", &redis.url())]).await;
    let create = "GET /session/create?username=jo-the-owner&password=p4ssw0rd";
    app.error(503, create, "", "").await;
    redis.restart();
    let created = eventually("logins work", async || {
        let answer = app.call(create, "", "").await;
        (answer.status() == 200).then(|| answer.into_body())
    })
    .await;
    let created: Value = serde_json::from_str(&created).unwrap();
    let token = created["token"].as_str().unwrap();
    app.ok(UPDATE, token, "").await;
    let rotated = app.ok("POST /session/rotate", token, "").await;
    let rotated = rotated["token"].as_str().unwrap();
    let id = app.ok(READ, rotated, "").await["id"].take();
    // The header of the second one contains `hush`, encoded.
    let forged = "eyJhbGciOiJodXNoXG5odXNoIn0.e30.aHVzaA";
    for rejected in [token, forged] {
        let message = app.error(401, READ, rejected, "").await;
        assert_eq!(message, "the token is not valid");
    }
    // A client that sends nothing does not delay the shutdown.
    let _silent = std::net::TcpStream::connect(app.address).unwrap();
    let (status, log) = app.terminate().await;
    assert!(status.success(), "{status}");
    for text in [
        "Redis is not reachable",
        "JWT_SECRET is not set",
        "/session/create",
    ] {
        assert!(log.contains(text), "{log}");
    }
    let claims = token.split('.').nth(1).unwrap();
    let id = id.as_str().unwrap();
    let kept = redis.run(&["EXISTS", &format!("sess:{id}")]);
    assert_eq!(kept, redis::Value::Int(1), "the shutdown loses no session");
    for secret in [claims, id, forged, "hush", "p4ssw0rd", "jo-the-owner"] {
        assert!(!log.contains(secret), "{log}");
    }
}
