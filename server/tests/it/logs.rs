//! Secrets, tokens, ids, names and data are never in the log or the metrics.

use std::collections::{BTreeSet, HashMap};

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::program::{Program, server};
use crate::support::redis_server::RedisServer;

/// Part of everything that must not be logged.
const HIDDEN: &str = "h1dd3n";
const MASTER_KEY: &str = "h1dd3n master key of 32 bytes or more";
const SECRET: &str = "h1dd3n signing secret of 32 bytes or more";
const RPC_SECRET: &str = "h1dd3n-rpc-secret-of-32-bytes-or-more";
const USERS_SECRET: &str = "h1dd3n-users-secret-of-32-bytes-or-more";
const FORGED: &str = "h1dd3n.h1dd3n.h1dd3n";

/// A program that logs everything, with all APIs.
fn verbose() -> std::process::Command {
    let mut command = server(&[]);
    let filter = "debug,jwt_redis_session=trace,jwt_redis_session_server=trace";
    command.envs([
        ("RUST_LOG", filter),
        ("SESSIOND__TOKENS__SECRET", SECRET),
        ("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY),
        ("SESSIOND__RPC__SECRET", RPC_SECRET),
        ("SESSIOND__USERS__ENABLED", "true"),
        ("SESSIOND__USERS__SECRET", USERS_SECRET),
        ("SESSIOND__ADMIN__ENABLED", "true"),
        // A right secret that is sent late must not be answered 429.
        (
            "SESSIOND__LIMITS__FAILED_AUTHENTICATIONS_PER_MINUTE",
            "1000",
        ),
    ]);
    command
}

/// A client that keeps what it receives.
struct Recorder {
    base: String,
    client: Client,
    /// Every text in a response that may be an id, a token or a key.
    received: BTreeSet<String>,
    /// The last value of each field that is a credential or an id.
    last: HashMap<&'static str, String>,
}

impl Recorder {
    fn new(program: &Program) -> Self {
        Self {
            base: format!("http://{}", program.address()),
            client: Client::builder().no_proxy().build().expect("a client"),
            received: BTreeSet::new(),
            last: HashMap::new(),
        }
    }

    async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: String) {
        let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
        let mut request = self.client.request(method, format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.body(body).send().await.expect("a response");
        let text = response.text().await.expect("a body");
        let Ok(body) = serde_json::from_str::<Value>(&text) else {
            return;
        };
        let strings = text.split('"').filter(|text| !text.contains(' '));
        let strings = strings.filter(|text| text.len() >= 16);
        self.received.extend(strings.map(str::to_owned));
        for name in ["api_key", "id", "token", "sessionId"] {
            let value = body.get(name).or_else(|| body["result"].get(name));
            if let Some(value) = value.and_then(Value::as_str) {
                self.last.insert(name, value.to_owned());
            }
        }
    }

    async fn get(&self, path: &str) -> String {
        let request = self.client.get(format!("{}{path}", self.base));
        let response = request.send().await.expect("a response");
        response.text().await.expect("a body")
    }

    /// Sends requests to every route in the document, with valid and with wrong credentials.
    async fn request_every_route(&mut self) {
        let document: Value = serde_json::from_str(&self.get("/openapi.json").await).expect("JSON");
        let paths = document["paths"].as_object().expect("paths");
        for method in ["put", "post", "get", "delete"] {
            let has_method = |(_, methods): &(_, &Value)| methods[method].is_object();
            for (path, _) in paths.iter().filter(has_method) {
                self.request_route(method, path, false).await;
                self.request_route(method, path, true).await;
            }
        }
    }

    async fn request_route(&mut self, method: &str, path: &str, is_valid: bool) {
        let (is_rpc, is_key) = (path.starts_with("/rpc"), path.starts_with("/api-key"));
        let calls = if is_rpc { RPC_METHODS } else { HIDDEN };
        for call in calls.split(' ') {
            let received = self.last.clone();
            let last = |name| received.get(name).map_or(HIDDEN, |last| last);
            let key = if is_key { MASTER_KEY } else { last("api_key") };
            let token = if is_valid { last("token") } else { FORGED };
            let shared = if is_rpc { RPC_SECRET } else { USERS_SECRET };
            let bearer = format!("Bearer {}", last("sessionId"));
            let body = if is_key {
                r#"{"session_ttl":3600}"#.to_owned()
            } else {
                body(call, token)
            };
            let path = path
                .replace("{bucket}", "h1dd3n-bucket")
                .replace("{id}", last("id"))
                .replace("{username}", "h1dd3n-user")
                .replace("{method}", call);
            let headers = [
                ("x-session-key", if is_valid { key } else { HIDDEN }),
                ("x-sessiond-secret", if is_valid { shared } else { HIDDEN }),
                ("authorization", &bearer),
                ("content-type", "application/json"),
                ("x-request-id", if is_valid { "my-id" } else { "h1dd3n id" }),
                ("if-match", if is_valid { "*" } else { "\"h1dd3n\"" }),
                ("traceparent", "00-h1dd3n"),
                ("user-agent", HIDDEN),
                ("x-forwarded-for", HIDDEN),
            ];
            let path = format!("{path}?h1dd3n=h1dd3n");
            self.send(method, &path, &headers, body).await;
        }
    }

    /// Sends requests that are not in the document.
    async fn request_other_paths(&mut self) {
        let paths = "/docs/ /admin /h1dd3n /session/h1dd3n/a/b/c /session/h1dd3n?api_key=h1dd3n \
             /%68%31dd3n%0d%0a /h1dd3n%00";
        for path in paths.split(' ') {
            for method in ["H1DD3N", "GET", "PUT"] {
                self.send(method, path, &[], HIDDEN.to_owned()).await;
            }
        }
        let form = [("content-type", "application/x-www-form-urlencoded")];
        for key in [MASTER_KEY, HIDDEN] {
            let body = format!("key={}", key.replace(' ', "+"));
            self.send("POST", "/admin/login", &form, body).await;
        }
    }
}

/// Returns a body that every route can parse.
fn body(call: &str, token: &str) -> String {
    let args = json!({ "token": token, "sessionVersion": "v1", "keys": "*",
        "session": { "a": HIDDEN }, "userId": "h1dd3n-user" });
    let body = json!({ "name": call, "args": args.to_string(),
        "username": "h1dd3n-user", "password": HIDDEN });
    body.to_string()
}

const RPC_METHODS: &str = "create get update getActiveSessions methods destroy destroyAll h1dd3n";

#[tokio::test]
async fn nothing_secret_is_logged_or_measured() {
    let mut redis = RedisServer::start_with(&["--requirepass", "h1dd3n-password"]);
    let url = format!("redis://:h1dd3n-password@127.0.0.1:{}/", redis.port());
    let mut program = Program::start(verbose().env("SESSIOND__STORE__REDIS", url));
    let mut recorder = Recorder::new(&program);
    recorder.request_every_route().await;
    recorder.request_other_paths().await;
    // A failed precondition is an error of the client, not a conflict of writes.
    assert!(!recorder.get("/metrics").await.contains("conflicts_total"));
    redis.kill();
    recorder.request_every_route().await;
    let socket = TcpStream::connect(program.address()).await;
    let sent = socket.expect("connect").write_all(b"GET /h1dd3n").await;
    sent.expect("send");
    let metrics = recorder.get("/metrics").await;
    program.signal("TERM");
    let (_, log) = program.wait();
    for status in ["200", "201", "401", "404", "405", "503"] {
        let label = format!("status=\"{status}\"");
        assert!(metrics.contains(&label), "no {status} in {metrics}");
    }
    assert_eq!(recorder.last.len(), 4, "all credentials were created");
    assert!(log.contains("DEBUG"), "{log}");
    let warnings = log.lines().filter(|line| line.contains("WARN"));
    let outage = warnings.filter(|line| line.contains("the session store failed"));
    let outage: Vec<_> = outage.collect();
    assert!((1..=3).contains(&outage.len()), "once per kind: {outage:?}");
    assert!(outage[0].contains("my-id"), "{outage:?}");
    assert!(log.matches("route=").count() > 50, "{log}");
    for text in [&log, &metrics] {
        let lower = text.to_lowercase();
        assert_eq!(lower.lines().find(|line| line.contains(HIDDEN)), None);
        for secret in &recorder.received {
            assert_eq!(text.lines().find(|line| line.contains(secret)), None);
        }
    }
}
