//! The process of the app, and calls to it.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use http::{Request, Response};
use serde_json::Value;

use crate::http_client;

/// A running app; killed when dropped.
pub(super) struct App {
    child: Child,
    /// Reads the log while the app runs: a full pipe would block it.
    log: Option<JoinHandle<String>>,
    pub(super) address: SocketAddr,
}

impl App {
    /// Starts the app on a free port and waits until it listens.
    pub(super) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).spawn().expect("start the app");
        let stdout = child.stdout.take().expect("a pipe");
        let mut stderr = child.stderr.take().expect("a pipe");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).map(|_| log).unwrap()
        });
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("unexpected: {line:?}"));
        Self {
            child,
            log: Some(log),
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
    pub(super) fn terminate(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        let status = ended(&mut self.child).expect("SIGTERM ends the app");
        let log = self.log.take().unwrap();
        (status, log.join().unwrap())
    }
}

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits at most 8 s for the end of a process.
fn ended(child: &mut Child) -> Option<ExitStatus> {
    let deadline = Instant::now() + Duration::from_secs(8);
    while Instant::now() < deadline {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    None
}

/// Runs an app that cannot start, and returns its exit code and its error.
pub(super) fn rejected(name: &str, value: &str) -> (Option<i32>, String) {
    let mut child = command(&[(name, value)]).spawn().expect("start the app");
    if ended(&mut child).is_none() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
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
        .stderr(Stdio::piped());
    command
}
