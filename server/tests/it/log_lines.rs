//! Which lines the program logs, how many, and that all of them are JSON if they shall be.

use reqwest::Client;
use serde_json::Value;

use crate::program::{Program, run, server, sessiond};
use crate::request::{send, status};
use crate::service::SECRET;
use crate::support::redis_server::RedisServer;

fn client() -> Client {
    Client::builder().no_proxy().build().expect("a client")
}

/// Stops the program; returns its log as JSON, line by line.
fn lines(program: &mut Program) -> Vec<Value> {
    program.signal("TERM");
    let (_, log) = program.wait();
    let line = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    log.lines().map(line).collect()
}

fn with_message<'a>(lines: &'a [Value], message: &str) -> Vec<&'a Value> {
    let is_meant = |line: &&Value| {
        line["message"]
            .as_str()
            .is_some_and(|it| it.contains(message))
    };
    lines.iter().filter(is_meant).collect()
}

#[tokio::test]
async fn a_request_has_one_line_with_the_client_and_its_user_agent_only_if_that_is_set() {
    let long = format!("a \"quoted\" agent {}", "x".repeat(1000));
    for (is_set, trusted, expected) in [("false", "0", "127.0.0.1"), ("true", "1", "192.0.2.1")] {
        let mut program = Program::start(
            server(&["--json-logs"])
                .env("SESSIOND__LOG__USER_AGENT", is_set)
                .env("SESSIOND__HTTP__TRUSTED_PROXIES", trusted)
                .env("SESSIOND__RPC__ENABLED", "false"),
        );
        let url = format!("http://{}/session/a/b", program.address());
        let request = client().get(url).header("user-agent", &long);
        let request = request.header("x-forwarded-for", "192.0.2.1:80");
        assert_eq!(status(request.header("x-request-id", "mine")).await, 401);
        let lines = lines(&mut program);
        let own: Vec<_> = lines
            .iter()
            .filter(|line| line["request_id"] == "mine")
            .collect();
        assert_eq!(own.len(), 1, "{lines:?}");
        assert_eq!(own[0]["client"], expected);
        assert_eq!(own[0]["status"], 401);
        let agent = own[0]["user_agent"].as_str();
        assert_eq!(agent, (is_set == "true").then_some(&long[..256]));
    }
}

#[tokio::test]
async fn a_limited_client_is_logged_once() {
    let limit = "SESSIOND__LIMITS__FAILED_AUTHENTICATIONS_PER_MINUTE";
    let mut program = Program::start(server(&["--json-logs"]).env(limit, "1"));
    let url = format!("http://{}/session/a/b", program.address());
    for expected in [401, 429, 429, 429, 429] {
        assert_eq!(status(client().get(&url)).await, expected);
    }
    let lines = lines(&mut program);
    let limited = with_message(&lines, "too many wrong credentials");
    assert_eq!(limited.len(), 1, "{lines:?}");
    assert_eq!(limited[0]["client"], "127.0.0.1");
    assert_eq!(limited[0]["level"], "WARN");
    assert!(limited[0]["request_id"].is_string(), "{limited:?}");
}

/// Returns the sum of a number in all lines that have it.
fn sum(lines: &[&Value], field: &str) -> u64 {
    lines.iter().filter_map(|line| line[field].as_u64()).sum()
}

async fn store_up(url: &str) -> String {
    let metrics = send(client().get(format!("{url}/metrics"))).await;
    let metrics = metrics.text().await.expect("a body");
    let mut lines = metrics.lines();
    let up = lines.find_map(|line| line.strip_prefix("sessiond_store_up "));
    up.expect(&metrics).to_owned()
}

#[tokio::test]
async fn an_outage_of_the_store_is_one_line_and_its_end_another() {
    let mut redis = RedisServer::start();
    let mut program = Program::start(
        server(&["--json-logs", "--redis", &redis.url()])
            .env("SESSIOND__TOKENS__SECRET", SECRET)
            .env("SESSIOND__HTTP__THREADS", "3")
            .env("SESSIOND__STORE__DEADLINE", "500ms"),
    );
    let url = format!("http://{}", program.address());
    let body = r#"{"args":"{\"session\":{},\"userId\":\"jo\"}"}"#;
    let create = async || status(client().post(format!("{url}/rpc/create")).body(body)).await;
    assert_eq!(create().await, 200);
    assert_eq!(store_up(&url).await, "1");
    redis.kill();
    for _ in 0..60 {
        assert_eq!(create().await, 503);
    }
    assert_eq!(store_up(&url).await, "0");
    redis.restart();
    program.wait_for("available again");
    assert_eq!(create().await, 200);
    assert_eq!(store_up(&url).await, "1");
    let lines = lines(&mut program);
    let failed = with_message(&lines, "the session store failed");
    // Once for each kind: refused, or no answer in time.
    assert!((1..=2).contains(&failed.len()), "{failed:?}");
    let again = with_message(&lines, "again");
    assert_eq!(again.len(), 1, "{again:?}");
    assert!(sum(&failed, "failures") + sum(&again, "failures") >= 61);
    // The library, which would log a line per thread, adds none.
    let is_of_library = |line: &&Value| {
        let target = line["target"].as_str().unwrap_or_default();
        target.starts_with("jwt_redis_session::")
    };
    assert_eq!(lines.iter().find(is_of_library), None);
}

/// Each line is variables and arguments that end the program, and part of the message.
const WRONG: &str = "
--nonsense --json-logs -> unexpected argument
--json-logs nonsense -> unrecognized subcommand
--json-logs check-config --config /no -> /no:
--json-logs --listen nonsense -> http.listen:
--json-logs RUST_LOG=a=b=c -> RUST_LOG:
--json-logs --listen ADDRESS -> http.listen:
SESSIOND__LOG__FORMAT=json --listen nonsense -> http.listen:
SESSIOND__LOG__FORMAT=json SESSIOND__HTTP__THREADS=many -> http.threads:
SESSIOND__LOG__FORMAT=json SESSIOND_LISTEN=a --config /no -> SESSIOND_LISTEN: + /no:
RUST_LOG=inf SESSIOND__HTTP__THREADS=many --json-logs check-config -> http.threads: + RUST_LOG:
--json-logs --redis redis://127.0.0.1 --store-file /no -> store.file: + tokens.secret:
SESSIOND__BUCKETS__ENABLED=false SESSIOND__TOKENS__SECRET=a-secret-of-at-least-32-characters --json-logs --store-file /no/file -> store.file:
SESSIOND__BUCKETS__ENABLED=false SESSIOND__TOKENS__SECRET=a-secret-of-at-least-32-characters --json-logs check-config --connect --store-file /no/file -> store.file:
--config FILE -> http.threads:
";

#[test]
fn with_json_logs_errors_that_end_the_program_are_json_too() {
    let busy = Program::start(&mut server(&[]));
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), "{log: {format: json}, http: {threads: many}}").expect("write");
    let file = file.path().display().to_string();
    let lines = WRONG.replace("ADDRESS", &busy.address().to_string());
    for line in lines.replace("FILE", &file).lines().skip(1) {
        let (words, message) = line.split_once(" -> ").expect("a message");
        let (variables, args): (Vec<_>, Vec<_>) = words
            .split(' ')
            .partition(|word| word.contains('=') && !word.starts_with('-'));
        let mut command = sessiond(&args);
        command.envs(variables.iter().filter_map(|word| word.split_once('=')));
        let (code, stdout, stderr) = run(&mut command);
        let is_connected = line.contains("--connect");
        assert!(
            code != 0 && stdout.is_empty() != is_connected,
            "{line}: {stdout}"
        );
        let mut errors = stderr.lines().map(|error| {
            let error: Value = serde_json::from_str(error).unwrap_or_else(|_| panic!("{stderr}"));
            error
        });
        for message in message.split(" + ") {
            let error = errors.next().expect("an error");
            assert_eq!(error["level"], "ERROR", "{line}");
            let text = error["message"].as_str().expect("a message");
            assert!(text.contains(message), "{line}: {text}");
            assert!(error["timestamp"].is_string());
        }
        assert_eq!(errors.count(), 0, "{stderr}");
    }
    let (code, help, stderr) = run(&mut sessiond(&["--json-logs", "--help"]));
    assert!(code == 0 && help.contains("Usage:") && stderr.is_empty());
}
