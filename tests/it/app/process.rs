//! The process of the app, and calls to it.

use std::net::SocketAddr;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use http::{Request, Response};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::http_client;

/// How long an app may take to end.
const PATIENCE: Duration = Duration::from_secs(8);

/// A running app; killed when dropped.
pub(super) struct App {
    child: Child,
    /// Reads the log while the app runs: a full pipe would block it.
    log: JoinHandle<String>,
    pub(super) address: SocketAddr,
}

impl App {
    /// Starts the app on a free port and waits until it listens.
    pub(super) async fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).spawn().expect("start the app");
        let stdout = child.stdout.take().expect("a pipe");
        let mut stderr = child.stderr.take().expect("a pipe");
        let log = tokio::spawn(async move {
            let mut log = String::new();
            stderr.read_to_string(&mut log).await.map(|_| log).unwrap()
        });
        let mut line = String::new();
        let mut stdout = BufReader::new(stdout);
        stdout.read_line(&mut line).await.unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("unexpected: {line:?}"));
        Self {
            child,
            log,
            address: address.parse().expect("an address"),
        }
    }

    /// Sends a request such as `GET /`. The body is JSON if it begins with `{`, or else a form.
    pub(super) async fn call(&self, start: &str, token: &str, body: &str) -> Response<String> {
        let (method, path) = start.split_once(' ').expect("a method and a path");
        let mut request = Request::builder().method(method).uri(path);
        if !token.is_empty() {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        let content_type = match body.starts_with('{') {
            true => "application/json; charset=utf-8",
            false => "application/x-www-form-urlencoded",
        };
        let request = request.header("content-type", content_type);
        let request = request.body(body.to_owned()).expect("a request");
        let answer = http_client::call(self.address, &request).await;
        answer.expect("an answer")
    }

    /// Returns the JSON of an answer with status 200.
    pub(super) async fn ok(&self, start: &str, token: &str, body: &str) -> Value {
        let answer = self.call(start, token, body).await;
        assert_eq!(answer.status(), 200, "{start} {body}: {answer:?}");
        serde_json::from_str(answer.body()).expect("JSON")
    }

    /// Returns the message of an error with this status.
    pub(super) async fn error(&self, status: u16, start: &str, token: &str, body: &str) -> String {
        let answer = self.call(start, token, body).await;
        assert_eq!(answer.status(), status, "{start} {body:.80}: {answer:?}");
        assert_eq!(answer.headers()["content-type"], "application/json");
        let answer: Value = serde_json::from_str(answer.body()).expect("JSON");
        answer["error"].as_str().expect("a message").to_owned()
    }

    pub(super) async fn log_in(&self, name: &str) -> String {
        let body = format!("username={name}&password=p4ssw0rd");
        let answer = self.ok("POST /session/create", "", &body).await;
        answer["token"].as_str().expect("a token").to_owned()
    }

    /// Sends SIGTERM, waits for the end, and returns the log.
    pub(super) async fn terminate(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().await;
        assert!(sent.unwrap().success());
        let status = timeout(PATIENCE, self.child.wait()).await;
        let status = status.expect("SIGTERM ends the app").unwrap();
        (status, self.log.await.unwrap())
    }
}

/// Runs an app that cannot start, and returns its exit code and its error.
pub(super) async fn rejected(name: &str, value: &str) -> (Option<i32>, String) {
    let output = timeout(PATIENCE, command(&[(name, value)]).output()).await;
    let output = output.expect("the app ends").unwrap();
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), text)
}

fn command(variables: &[(&str, &str)]) -> Command {
    // `cargo test` builds examples, next to the folder of the test binaries.
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    path.push("app");
    assert!(path.exists(), "run `cargo build --example app` before");
    let mut command = Command::new(path);
    command
        .env_clear()
        .env("LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "trace")
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}
