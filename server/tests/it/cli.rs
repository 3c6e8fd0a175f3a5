//! Commands, exit codes and the log of the program.

use std::ffi::OsStr;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt as _;
use std::process::Stdio;

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;
use serde_json::Value;

use crate::program::{Program, run, server, sessiond};
use crate::settings::SECRETS;

#[test]
fn without_settings_it_starts_in_memory_and_warns() {
    let program = Program::start(&mut server(&[]));
    program.wait_for("kept in memory");
    let log = program.log();
    assert!(log.contains("INFO"), "{log}");
    let has_colors = log.contains('\u{1b}');
    assert!(!has_colors, "there is no terminal: {log}");
    let help = run(&mut sessiond(&["--help"])).1;
    assert!(help.contains("[default: 127.0.0.1:8385]"), "{help}");
}

#[test]
fn a_generated_secret_fits_every_setting() {
    let (code, secret, _) = run(&mut sessiond(&["generate-secret"]));
    let secret = secret.trim_end();
    assert_eq!((code, secret.len()), (0, 88));
    let other = run(&mut sessiond(&["generate-secret"])).1;
    assert_ne!(secret, other.trim_end());
    let mut check = sessiond(&["check-config"]);
    let valid = (0, "the settings are valid\n".to_owned(), String::new());
    assert_eq!(run(check.env("SESSIOND__RPC__SECRET", secret)), valid);
    for algorithm in ["HS256", "HS384", "HS512"] {
        let sources = Sources::default().flag("tokens.algorithm", algorithm);
        let sources = SECRETS
            .into_iter()
            .fold(sources, |all, name| all.flag(name, secret));
        Settings::load(&sources).expect(algorithm);
    }
}

#[test]
fn openapi_prints_the_document_of_all_apis_whatever_the_settings() {
    let disabled = [
        ("SESSIOND__RPC__ENABLED", "false"),
        ("SESSIOND__HTTP__LISTEN", "nonsense"),
    ];
    let (code, document, _) = run(sessiond(&["openapi"]).envs(disabled));
    let document: Value = serde_json::from_str(&document).expect("JSON");
    assert_eq!(code, 0);
    for path in ["/session/{bucket}", "/rpc", "/sessions"] {
        assert!(document["paths"][path].is_object(), "{path}");
    }
}

/// Each line is variables and arguments, and the beginning of the error.
const WRONG: &str = "
--nonsense -> error:
nonsense -> error:
check-config --config /no -> sessiond: /no:
RUST_LOG=a=b=c check-config -> sessiond: RUST_LOG:
RUST_LOG=a=b=c -> sessiond: RUST_LOG:
SESSIOND__TOKENS__SECRET=a-secret-of-at-least-32-characters --redis a -> sessiond: store.redis:
SESSIOND__TOKENS__SECRET=a-secret-of-at-least-32-characters check-config --redis a -> sessiond: store.redis:
SESSIOND__TOKENS__SECRET=a-secret-of-at-least-32-characters SESSIOND__STORE__PASSWORD_FILE=/no check-config --redis redis://a -> sessiond: store.password_file: cannot be read: No such file
";

#[test]
fn wrong_usage_has_exit_code_2() {
    for line in WRONG.lines().skip(1) {
        let (words, message) = line.split_once(" -> ").expect("a message");
        let (variables, args): (Vec<_>, Vec<_>) =
            words.split(' ').partition(|word| word.contains('='));
        let mut command = sessiond(&args);
        command.envs(variables.iter().filter_map(|word| word.split_once('=')));
        let (code, _, error) = run(&mut command);
        assert_eq!(code, 2, "{line}");
        assert!(error.starts_with(message), "{error}");
    }
    let not_utf8 = OsStr::from_bytes(b"a\xff");
    let (code, _, error) = run(sessiond(&["check-config"]).env("SESSIOND__RPC__SECRET", not_utf8));
    let message = "sessiond: SESSIOND__RPC__SECRET: is not UTF-8\n";
    assert_eq!((code, &*error), (2, message));
}

/// systemd starts the service again after any code but 2.
#[test]
fn a_busy_port_has_exit_code_1() {
    let program = Program::start(&mut server(&[]));
    let address = program.address().to_string();
    for (variable, setting) in [
        ("SESSIOND__HTTP__LISTEN", "http.listen"),
        ("SESSIOND__OPERATORS__LISTEN", "operators.listen"),
    ] {
        let mut command = sessiond(&[]);
        command
            .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0")
            .env(variable, &address);
        let (code, _, error) = run(&mut command);
        assert_eq!(code, 1);
        let start = format!("sessiond: {setting}: {address}: Address already in use");
        assert!(error.starts_with(&start), "{error}");
    }
}

#[test]
fn json_logs_are_one_object_per_line() {
    let mut program = Program::start(server(&["--json-logs"]).env("DEBUG", "*"));
    let mut socket = TcpStream::connect(program.address()).expect("connect");
    let requests = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nnonsense\r\n\r\n";
    socket.write_all(requests).expect("send");
    program.wait_for("\"DEBUG\"");
    program.signal("TERM");
    let (status, log) = program.wait();
    assert!(status.success());
    let line = |line| serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
    let mut lines = log.lines().map(line);
    let access: Option<Value> = lines.find(|line: &Value| line["message"] == "request");
    let access = access.expect("an access line");
    assert_eq!(access["route"], "/healthz");
    assert_eq!(access["status"], 200);
    assert!(lines.count() > 0, "and all other lines");
}

#[test]
fn a_closed_standard_output_is_no_panic() {
    let mut command = sessiond(&["openapi"]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("it starts");
    drop(child.stdout.take());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}
