//! What is never logged, nor measured: secrets, keys, tokens, ids, names, data.

use std::collections::BTreeSet;

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::program::{Program, sessiond};
use crate::support::redis_server::RedisServer;

/// Stands in everything that must not be seen.
const HIDDEN: &str = "h1dd3n";
const MASTER_KEY: &str = "h1dd3n master key of 32 bytes or more";
const SECRET: &str = "h1dd3n signing secret of 32 bytes or more";
const SHARED: &str = "h1dd3n-shared-secret-of-32-bytes-or-more";

/// Everything at its loudest, with every door open.
fn loud() -> std::process::Command {
    let mut command = sessiond(&["--listen", "127.0.0.1:0"]);
    command.envs([
        (
            "RUST_LOG",
            "debug,jwt_redis_session=trace,jwt_redis_session_server=trace",
        ),
        ("SESSIOND__TOKENS__SECRET", SECRET),
        ("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY),
        ("SESSIOND__RPC__SECRET", SHARED),
        ("SESSIOND__USERS__ENABLED", "true"),
        ("SESSIOND__USERS__SECRET", SHARED),
        ("SESSIOND__ADMIN__ENABLED", "true"),
    ]);
    command
}

/// A client that remembers what it has asked for, and what it was given.
struct Visitor {
    base: String,
    client: Client,
    visited: BTreeSet<String>,
    given: BTreeSet<String>,
}

impl Visitor {
    fn of(program: &Program) -> Self {
        Self {
            base: format!("http://{}", program.address()),
            client: Client::builder().no_proxy().build().expect("a client"),
            visited: BTreeSet::new(),
            given: BTreeSet::new(),
        }
    }

    /// Asks for a route with its parameters filled in.
    async fn ask(
        &mut self,
        method: &str,
        route: &str,
        path: &str,
        with: impl FnOnce(RequestBuilder) -> RequestBuilder,
    ) -> Value {
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let request = self.client.request(method, format!("{}{path}", self.base));
        let answer = with(request).send().await.expect("an answer");
        self.visited.insert(route.to_owned());
        let text = answer.text().await.expect("a body");
        let body = serde_json::from_str(&text).unwrap_or_default();
        remember(&body, &mut self.given);
        body
    }

    async fn rpc(&mut self, method: &str, args: Value) -> Value {
        let args = args.to_string();
        let body = json!({ "name": method, "args": args });
        let path = format!("/rpc/{method}");
        self.ask("POST", "/rpc/{method}", &path, |request| {
            request
                .header("x-sessiond-secret", SHARED)
                .json(&json!({ "args": args }))
        })
        .await;
        self.ask("POST", "/rpc", "/rpc?h1dd3n=h1dd3n", |request| {
            request.header("x-sessiond-secret", SHARED).json(&body)
        })
        .await
    }
}

/// Notes every text in an answer that looks like an id, a token or a key.
fn remember(answer: &Value, given: &mut BTreeSet<String>) {
    match answer {
        Value::String(text) if text.len() >= 16 && !text.contains(' ') => {
            given.insert(text.clone());
        }
        Value::Array(items) => items.iter().for_each(|item| remember(item, given)),
        Value::Object(fields) => fields.values().for_each(|item| remember(item, given)),
        _ => {}
    }
}

fn text(answer: &Value, field: &str) -> String {
    answer[field]
        .as_str()
        .unwrap_or("h1dd3n-missing")
        .to_owned()
}

async fn buckets(visitor: &mut Visitor) {
    let bucket = "/api-key/h1dd3n-bucket";
    for key in [MASTER_KEY, "h1dd3n wrong"] {
        for method in ["PUT", "GET"] {
            let with_key = |request: RequestBuilder| request.header("x-session-key", key);
            visitor
                .ask(method, "/api-key/{bucket}", bucket, with_key)
                .await;
        }
    }
    let with_master = |request: RequestBuilder| request.header("x-session-key", MASTER_KEY);
    let answer = visitor
        .ask("GET", "/api-key/{bucket}", bucket, with_master)
        .await;
    let key = text(&answer, "api_key");
    for key in [key.as_str(), "h1dd3n-wrong"] {
        let path = format!("/session/h1dd3n-bucket?api_key={key}");
        let with_data = |request: RequestBuilder| request.json(&json!({ "a": "h1dd3n" }));
        let made = visitor
            .ask("PUT", "/session/{bucket}", &path, with_data)
            .await;
        let path = format!("/session/h1dd3n-bucket/{}", text(&made, "id"));
        for method in ["GET", "POST", "DELETE", "DELETE"] {
            let with_key =
                |request: RequestBuilder| request.header("x-session-key", key).body("h1dd3n");
            visitor
                .ask(method, "/session/{bucket}/{id}", &path, with_key)
                .await;
        }
    }
    let (route, path) = ("/session/settings", "/session/settings?api_key=h1dd3n");
    visitor.ask("GET", route, path, |request| request).await;
    let route = "/api-key/{bucket}";
    visitor.ask("DELETE", route, bucket, with_master).await;
}

async fn rpc(visitor: &mut Visitor) {
    let create = json!([{ "session": { "a": HIDDEN }, "userId": "h1dd3n-user" }]);
    let made = visitor.rpc("create", create).await;
    let token = text(&made["result"], "token");
    for token in [token.as_str(), "h1dd3n.h1dd3n.h1dd3n"] {
        let named = json!({ "token": token, "sessionVersion": "v1" });
        visitor
            .rpc(
                "get",
                json!({ "token": token, "sessionVersion": "v1", "keys": "*" }),
            )
            .await;
        visitor
            .rpc("get", json!({ "token": token, "sessionVersion": HIDDEN }))
            .await;
        let mut update = named.clone();
        update["session"] = json!({ "b": HIDDEN });
        visitor.rpc("update", update).await;
        visitor.rpc("destroy", named).await;
    }
    let user = json!({ "userId": "h1dd3n-user", "sessionVersion": "v1" });
    visitor.rpc("getActiveSessions", user.clone()).await;
    visitor.rpc("destroyAll", user).await;
    visitor.rpc("methods", json!([])).await;
    visitor.rpc("h1dd3n", json!("h1dd3n")).await;
    let wrong = |request: RequestBuilder| request.header("x-sessiond-secret", HIDDEN).body(HIDDEN);
    visitor.ask("POST", "/rpc", "/rpc", wrong).await;
    visitor
        .ask("GET", "/health-check", "/health-check?h1dd3n", |request| {
            request
        })
        .await;
}

async fn users(visitor: &mut Visitor) {
    let login = json!({ "username": "h1dd3n-user", "password": "h1dd3n" });
    for secret in [SHARED, "h1dd3n wrong"] {
        let with =
            |request: RequestBuilder| request.header("x-sessiond-secret", secret).json(&login);
        let made = visitor.ask("POST", "/sessions", "/sessions", with).await;
        let bearer = text(&made, "sessionId");
        let with = |request: RequestBuilder| request.bearer_auth(&bearer);
        visitor.ask("GET", "/sessions", "/sessions", with).await;
        for user in ["h1dd3n-other", "h1dd3n-user"] {
            let path = format!("/sessions/{user}");
            visitor
                .ask("DELETE", "/sessions/{username}", &path, with)
                .await;
        }
    }
}

async fn operators(visitor: &mut Visitor) {
    for path in ["/healthz", "/readyz", "/metrics", "/docs/", "/admin"] {
        visitor
            .ask("GET", path, &format!("{path}?h1dd3n=h1dd3n"), |request| {
                request
            })
            .await;
    }
    for path in ["/admin", "/admin/login"] {
        let body = format!("key={0}&master_key={0}", MASTER_KEY.replace(' ', "+"));
        let kind = ("content-type", "application/x-www-form-urlencoded");
        let form = |request: RequestBuilder| request.header(kind.0, kind.1).body(body);
        visitor.ask("POST", path, path, form).await;
    }
    for path in [
        "/h1dd3n",
        "/session/h1dd3n/a/b/c",
        "/%68%31dd3n%0d%0a",
        "/h1dd3n%00",
    ] {
        let with = |request: RequestBuilder| request.header("x-request-id", "h1dd3n id");
        visitor.ask("H1DD3N", path, path, with).await;
        visitor.ask("GET", path, path, with).await;
    }
}

/// Makes requests of every kind there is, then looks through the log and the metrics.
async fn nothing_is_told(mut program: Program, mut redis: Option<RedisServer>) {
    let mut visitor = Visitor::of(&program);
    buckets(&mut visitor).await;
    rpc(&mut visitor).await;
    users(&mut visitor).await;
    operators(&mut visitor).await;
    if let Some(redis) = &mut redis {
        redis.kill();
        buckets(&mut visitor).await;
        rpc(&mut visitor).await;
        users(&mut visitor).await;
    }
    every_route_was_visited(&mut visitor).await;
    let url = format!("{}/metrics", visitor.base);
    let metrics = visitor.client.get(url).send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a body");
    half_a_request(&program).await;
    program.wait_for("DEBUG");
    program.signal("TERM");
    let (_, log) = program.wait();
    assert!(
        log.matches("route=").count() > 50,
        "each request has a line"
    );
    for (place, text) in [("the log", &log), ("the metrics", &metrics)] {
        let lower = text.to_lowercase();
        let line = lower.lines().find(|line| line.contains(HIDDEN));
        assert_eq!(line, None, "in {place}");
        for given in &visitor.given {
            let line = text.lines().find(|line| line.contains(given));
            assert_eq!(line, None, "{given} in {place}");
        }
    }
}

async fn half_a_request(program: &Program) {
    let mut socket = TcpStream::connect(program.address())
        .await
        .expect("connect");
    socket.write_all(b"GET /h1dd3n").await.expect("send");
}

/// Whatever route is added has to be visited here too.
async fn every_route_was_visited(visitor: &mut Visitor) {
    let url = format!("{}/openapi.json", visitor.base);
    let document = visitor.client.get(url).send().await.expect("an answer");
    let document: Value = document.json().await.expect("JSON");
    let paths = document["paths"].as_object().expect("paths");
    let missed: Vec<_> = paths
        .keys()
        .filter(|path| !visitor.visited.contains(*path))
        .collect();
    assert!(missed.is_empty(), "not visited: {missed:?}");
}

#[tokio::test]
async fn nothing_secret_is_told_with_memory() {
    nothing_is_told(Program::start(&mut loud()), None).await;
}

#[tokio::test]
async fn nothing_secret_is_told_with_redis_nor_when_it_dies() {
    let redis = RedisServer::start_with(&["--requirepass", "h1dd3n-password"]);
    let url = format!("redis://:h1dd3n-password@127.0.0.1:{}/", redis.port());
    let program = Program::start(loud().env("SESSIOND__STORE__REDIS", url));
    nothing_is_told(program, Some(redis)).await;
}

/// A precondition that does not hold is the client's affair: no race was lost.
#[tokio::test]
async fn a_failed_precondition_is_neither_logged_nor_counted_as_a_conflict() {
    let mut program = Program::start(&mut loud());
    let mut visitor = Visitor::of(&program);
    let with_master = |request: RequestBuilder| request.header("x-session-key", MASTER_KEY);
    let key = visitor.ask("PUT", "", "/api-key/shop", with_master).await;
    let key = text(&key, "api_key");
    let with_key = |request: RequestBuilder| request.header("x-session-key", &key);
    let made = visitor.ask("PUT", "", "/session/shop", with_key).await;
    let path = format!("/session/shop/{}", text(&made, "id"));
    for _ in 0..5 {
        let stale = |request| with_key(request).header("if-match", "\"stale\"");
        let refused = visitor.ask("POST", "", &path, stale).await;
        let error = "the data is of another version; nothing was written";
        assert_eq!(refused, json!({ "error": error }));
    }
    let metrics = visitor.client.get(format!("{}/metrics", visitor.base));
    let metrics = metrics.send().await.expect("an answer");
    let metrics = metrics.text().await.expect("a body");
    assert!(metrics.contains("status=\"412\""), "{metrics}");
    program.signal("TERM");
    let (_, log) = program.wait();
    for (place, text) in [("the log", &log), ("the metrics", &metrics)] {
        let line = text.lines().find(|line| line.contains("conflict"));
        assert_eq!(line, None, "in {place}");
    }
    let warning = log.lines().find(|line| line.contains("changed by others"));
    assert_eq!(warning, None);
}
