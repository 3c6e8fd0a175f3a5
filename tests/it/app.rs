//! The example app: its binary, over HTTP.

use std::process::Command;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::BodyExt as _;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::support::eventually;
use crate::support::program::Program;
use crate::support::redis_server::RedisServer;

const READ: &str = "GET /session/read";
const UPDATE: &str = "POST /session/update";

/// A running app.
struct App(Program);

impl App {
    fn start(variables: &[(&str, &str)]) -> Self {
        Self(Program::start(&mut command(variables)))
    }

    /// Sends a request such as `GET /`. The body is JSON if it begins with `{`, or else a form.
    async fn call(&self, start: &str, token: &str, body: &str) -> Response<String> {
        let (method, path) = start.split_once(' ').expect("a method and a path");
        let uri = format!("http://{}{path}", self.0.address());
        let mut request = Request::builder().method(method).uri(uri);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let content_type = match body.starts_with('{') {
            true => "application/json; charset=utf-8",
            false => "application/x-www-form-urlencoded",
        };
        let request = request.header("content-type", content_type);
        let request = request.body(body.to_owned()).expect("a request");
        let client = Client::builder(TokioExecutor::new()).build_http();
        let answer = client.request(request).await.expect("an answer");
        let (head, body) = answer.into_parts();
        #[expect(clippy::disallowed_methods, reason = "a response of this test")]
        let body = body.collect().await.expect("a body").to_bytes();
        Response::from_parts(head, String::from_utf8(body.into()).expect("UTF-8"))
    }

    /// Returns the JSON of an answer with this status.
    async fn json(&self, status: u16, start: &str, token: &str, body: &str) -> Value {
        let answer = self.call(start, token, body).await;
        assert_eq!(answer.status(), status, "{start} {body:.80}: {answer:?}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        serde_json::from_str(answer.body()).expect("JSON")
    }

    async fn ok(&self, start: &str, token: &str, body: &str) -> Value {
        self.json(200, start, token, body).await
    }

    async fn error(&self, status: u16, start: &str, token: &str, body: &str) {
        let answer = self.json(status, start, token, body).await;
        assert!(answer["error"].is_string(), "{answer}");
    }

    async fn log_in(&self, name: &str) -> String {
        let body = format!("username={name}&password=p4ssw0rd");
        let answer = self.ok("POST /session/create", "", &body).await;
        answer["token"].as_str().expect("a token").to_owned()
    }
}

/// Returns the command line of the app on a free port, with these variables only.
fn command(variables: &[(&str, &str)]) -> Command {
    // `cargo test` builds examples, next to the folder of the test binaries.
    let tests = std::env::current_exe().unwrap();
    let path = tests.ancestors().nth(2).unwrap().join("examples/app");
    assert!(path.exists(), "run `cargo build --example app` before");
    let mut command = Command::new(path);
    let defaults = [("LISTEN", "127.0.0.1:0"), ("RUST_LOG", "trace")];
    command.env_clear().envs(defaults);
    command.envs(variables.iter().copied());
    command
}

#[tokio::test]
async fn sessions_are_created_updated_rotated_listed_and_ended() {
    walk(&App::start(&[])).await;
    let redis = RedisServer::start();
    walk(&App::start(&[("REDIS_URL", &redis.url())])).await;
    let cached = ("CACHE_MAX_STALENESS", "250");
    walk(&App::start(&[("REDIS_URL", &redis.url()), cached])).await;
}

/// The bound is in milliseconds. Without the variable, each read is sent to Redis.
#[tokio::test]
async fn a_cache_saves_commands_and_sees_a_logout_elsewhere() {
    let redis = RedisServer::start();
    let url = ("REDIS_URL", &*redis.url());
    let secret = ("JWT_SECRET", "a secret of at least 32 random bytes");
    let cached = App::start(&[url, secret, ("CACHE_MAX_STALENESS", "250")]);
    let plain = App::start(&[url, secret]);
    let token = plain.log_in("jo").await;
    let reads = || {
        let info = redis.run(&["INFO", "commandstats"]);
        let info = format!("{info:?}");
        let (_, count) = info
            .split_once("cmdstat_getrange:calls=")
            .unwrap_or(("", "0,"));
        count.split(',').next().unwrap().parse::<u32>().unwrap()
    };
    for (app, commands) in [(&cached, 0..=10), (&plain, 20..=20)] {
        app.ok(READ, &token, "").await;
        let before = reads();
        for _ in 0..20 {
            app.ok(READ, &token, "").await;
        }
        let sent = reads() - before;
        assert!(commands.contains(&sent), "{sent} of 20");
    }
    plain.call("POST /session/destroy", &token, "").await;
    tokio::time::sleep(Duration::from_millis(250)).await;
    cached.error(401, READ, &token, "").await;
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
async fn the_stream_of_a_session_ends_with_it_and_says_why() {
    let app = App::start(&[]);
    let (token, other) = (app.log_in("jo").await, app.log_in("jo").await);
    let log_out = async {
        // The stream begins before.
        tokio::time::sleep(Duration::from_millis(100)).await;
        app.ok("POST /session/destroy-all", &other, "").await
    };
    let events = app.call("GET /session/events", &token, "");
    let both = async { tokio::join!(events, log_out) };
    let (events, _) = timeout(Duration::from_secs(2), both)
        .await
        .expect("immediately");
    assert_eq!(events.body(), "event: end\ndata: logged out everywhere\n\n");
}

/// The sessions of one user are the same, whatever signs their tokens.
#[tokio::test]
async fn tokens_are_signed_with_the_key_of_the_path() {
    let app = App::start(&[]);
    let read = async |path: &str, token: &str| {
        let start = format!("GET {path}/session/read");
        app.call(&start, token, "").await.status().as_u16()
    };
    let paths = ["", "/RS256", "/ES256", "/EdDSA"];
    let mut tokens = Vec::new();
    for path in paths {
        let start = format!("POST {path}/session/create");
        let answer = app.ok(&start, "", "username=jo&password=p").await;
        tokens.push(answer["token"].as_str().expect("a token").to_owned());
    }
    for (token, own) in tokens.iter().zip(paths) {
        for path in paths {
            let status = if path == own { 200 } else { 401 };
            assert_eq!(read(path, token).await, status, "{own} at {path}");
        }
    }
    let answer = app.ok("GET /EdDSA/session/list", &tokens[3], "").await;
    assert_eq!(answer["sessions"].as_array().expect("a list").len(), 4);
}

#[tokio::test]
async fn errors_are_json() {
    let app = App::start(&[]);
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
    ]);
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
        ("CACHE_MAX_STALENESS", "soon"),
        ("JWT_SECRET", "abc123"),
        ("JWT_ALGORITHM", "RS256"),
        ("MAX_AGE", "0"),
        ("ABSOLUTE_LIFETIME", "-1"),
        ("LAZY", "yes"),
        ("RUST_LOG", "a=b=c"),
    ] {
        let mut command = tokio::process::Command::from(command(&[(name, value)]));
        let output = timeout(Duration::from_secs(8), command.kill_on_drop(true).output()).await;
        let output = output.expect("the app ends").unwrap();
        let text = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{name}={value}: {text}");
        let error = text.lines().last().unwrap_or_default();
        assert!(error.starts_with("error: "), "{text}");
        assert!(error.contains(name), "{text}");
        assert!(!text.contains("abc123"));
    }
}

#[tokio::test]
async fn app_starts_without_redis_and_logs_no_secret() {
    let mut redis = RedisServer::start();
    redis.kill();
    let mut app = App::start(&[("REDIS_URL", &redis.url())]);
    let create = "GET /session/create?username=jo-the-owner&password=p4ssw0rd";
    app.error(503, create, "", "").await;
    redis.restart();
    let works = async || (app.call(create, "", "").await.status() == 200).then_some(());
    eventually("logins work", works).await;
    let token = &*app.log_in("jo-the-owner").await;
    let id = app.ok(READ, token, "").await["id"].take();
    let wrong = format!("GET /session/read?accessToken={token}x");
    app.error(401, &wrong, "", "").await;
    // A client that sends nothing does not delay the shutdown.
    let _silent = std::net::TcpStream::connect(app.0.address()).unwrap();
    app.0.signal("TERM");
    let (status, log) = app.0.wait();
    assert!(status.success(), "{status}");
    let events = "Redis is not reachable, JWT_SECRET is not set, /session/create";
    for text in events.split(", ") {
        assert!(log.contains(text), "{log}");
    }
    let claims = token.split('.').nth(1).unwrap();
    for secret in [claims, id.as_str().unwrap(), "p4ssw0rd", "jo-the-owner"] {
        assert!(!log.contains(secret), "{log}");
    }
}
