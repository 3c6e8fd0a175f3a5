//! The commands of the program, and its log.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;

use crate::program::{Program, run, sessiond};
use crate::support::redis_server::RedisServer;

#[test]
fn it_starts_with_defaults_in_memory_and_says_so() {
    let program = Program::with(&[]);
    let log = program.log();
    program.wait_for("kept in memory");
    assert!(log.contains("sessiond listens"), "{log}");
    let help = run(&mut sessiond(&["--help"])).1;
    assert!(help.contains("[default: 127.0.0.1:8385]"), "{help}");
}

#[test]
fn check_config_says_that_all_is_well() {
    let (code, said, complaint) = run(&mut sessiond(&["check-config"]));
    assert_eq!(
        (code, said.as_str(), complaint.as_str()),
        (0, "the settings are good\n", "")
    );
}

#[test]
fn a_generated_secret_is_fit_for_every_setting_that_asks_for_one() {
    let (code, secret, _) = run(&mut sessiond(&["generate-secret"]));
    let secret = secret.trim_end();
    assert_eq!((code, secret.len()), (0, 88));
    assert_ne!(
        secret,
        run(&mut sessiond(&["generate-secret"])).1.trim_end()
    );
    let mut command = sessiond(&["check-config", "--redis", "redis://127.0.0.1"]);
    for setting in [
        "TOKENS__SECRET",
        "TOKENS__PREVIOUS_SECRETS",
        "BUCKETS__MASTER_KEYS",
        "RPC__SECRET",
        "USERS__SECRET",
    ] {
        command.env(format!("SESSIOND__{setting}"), secret);
    }
    for algorithm in ["HS256", "HS384", "HS512"] {
        let (code, _, complaint) = run(command.env("SESSIOND__TOKENS__ALGORITHM", algorithm));
        assert_eq!((code, complaint.as_str()), (0, ""), "{algorithm}");
    }
}

#[test]
fn openapi_prints_the_document_of_all_doors_whatever_is_configured() {
    let closed = [
        ("SESSIOND__RPC__ENABLED", "false"),
        ("SESSIOND__HTTP__LISTEN", "nonsense"),
    ];
    let (code, document, _) = run(sessiond(&["openapi"]).envs(closed));
    assert_eq!(code, 0);
    assert_eq!(document, run(&mut sessiond(&["openapi"])).1);
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(document["info"]["title"], "sessiond");
}

#[test]
fn a_wrong_argument_has_the_exit_code_of_a_wrong_setting() {
    assert_eq!(run(&mut sessiond(&["--nonsense"])).0, 2);
    assert_eq!(run(&mut sessiond(&["nonsense"])).0, 2);
}

#[test]
fn an_address_in_use_is_told_with_the_name_of_its_setting() {
    let program = Program::with(&[]);
    let (code, _, complaint) = run(&mut sessiond(&["--listen", &program.address()]));
    assert_eq!(code, 2);
    assert!(
        complaint.contains("sessiond: http.listen: 127.0.0.1:"),
        "{complaint}"
    );
}

#[tokio::test]
async fn json_logs_are_one_object_a_line() {
    let mut program = Program::with(&["--json-logs"]);
    reqwest::get(format!("http://{}/healthz", program.address()))
        .await
        .expect("an answer");
    program.signal("TERM");
    let (status, log) = program.wait();
    assert!(status.success());
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}")))
        .collect();
    let access = lines
        .iter()
        .find(|line| line["message"] == "request")
        .expect("an access line");
    assert_eq!(access["route"], "/healthz");
    assert_eq!(access["status"], 200);
}

#[test]
fn rust_log_says_what_is_logged() {
    let loud = Program::start(sessiond(&["--listen", "127.0.0.1:0"]).env("RUST_LOG", "info"));
    assert!(loud.log().contains("INFO"));
    let (code, _, complaint) = run(sessiond(&["--listen", "127.0.0.1:0"]).env("RUST_LOG", "a=b=c"));
    assert_eq!(code, 2);
    assert!(complaint.starts_with("sessiond: RUST_LOG: "), "{complaint}");
    let checked = run(sessiond(&["check-config"]).env("RUST_LOG", "a=b=c"));
    assert_eq!((checked.0, checked.2), (code, complaint));
}

/// Also where the lines of the requests themselves are not logged.
#[tokio::test]
async fn what_went_wrong_is_logged_with_the_id_of_the_request() {
    let mut redis = RedisServer::start();
    redis.kill();
    let mut command = sessiond(&["--listen", "127.0.0.1:0", "--redis", &redis.url()]);
    command
        .env("SESSIOND__TOKENS__SECRET", crate::service::SECRET)
        .env("RUST_LOG", "warn,jwt_redis_session_server::cli=info");
    let mut program = Program::start(&mut command);
    let call = r#"{"name":"create","args":"{\"session\":{},\"userId\":\"jo\"}"}"#;
    for _ in 0..20 {
        let request = reqwest::Client::new()
            .post(format!("http://{}/rpc", program.address()))
            .header("x-request-id", "my-request")
            .body(call);
        assert_eq!(request.send().await.expect("an answer").status(), 503);
    }
    program.wait_for("the session store failed");
    program.wait_for("my-request");
    program.signal("TERM");
    let (_, log) = program.wait();
    let lines = log.lines().filter(|line| line.contains("my-request"));
    assert!(
        lines.count() <= 3,
        "one line for an outage, not one per request: {log}"
    );
}

#[tokio::test]
async fn debug_logs_more_as_the_original_did() {
    for (debug, is_more) in [("*", true), ("express:*", false)] {
        let program = Program::start(sessiond(&["--listen", "127.0.0.1:0"]).env("DEBUG", debug));
        let mut socket = TcpStream::connect(program.address())
            .await
            .expect("connect");
        socket.write_all(b"GET / HTTP").await.expect("send");
        drop(socket);
        let url = format!("http://{}/healthz", program.address());
        reqwest::get(url).await.expect("an answer");
        program.wait_for(if is_more {
            "a connection broke"
        } else {
            "request"
        });
        assert_eq!(
            program.log().contains("DEBUG"),
            is_more,
            "{}",
            program.log()
        );
    }
}

#[test]
fn there_are_no_colours_where_there_is_no_terminal() {
    let program = Program::with(&[]);
    assert!(!program.log().contains('\u{1b}'), "{}", program.log());
}

#[test]
fn a_reader_that_has_gone_is_no_panic() {
    let mut child = sessiond(&["openapi"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
