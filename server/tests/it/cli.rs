//! Commands, exit codes and the log of the program.

use std::ffi::OsStr;
use std::io::Write as _;
use std::net::TcpStream;
use std::os::unix::ffi::OsStrExt as _;
use std::process::{Command, Stdio};

use jwt_redis_session_server::Settings;
use jwt_redis_session_server::settings::Sources;
use serde_json::Value;

use crate::program::{Program, run, server, sessiond};
use crate::secret_settings::SECRETS;
use crate::service::{MASTER_KEY, SECRET};

#[test]
fn a_low_limit_of_open_files_leaves_files_for_the_store() {
    let limited = |limit: &str, arguments: &[&str]| {
        let program = sessiond(arguments);
        let mut command = Command::new("sh");
        let script = format!("ulimit -n {limit} && exec \"$0\" \"$@\"");
        command.args(["-c", &script]).arg(program.get_program());
        command.args(program.get_args());
        command.env("SESSIOND__HTTP__MAX_CONNECTIONS", "200");
        command
    };
    let warning = "the limit of open files is too low for http.max_connections";
    let (code, output, _) = run(&mut limited("300", &["check-config"]));
    assert!(code == 0 && output.contains(warning), "{output}");
    // The soft limit is raised.
    let (_, output, _) = run(&mut limited("-S 300", &["check-config"]));
    assert!(!output.contains(warning), "{output}");
}

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
    assert_eq!(run(check.env("SESSIOND__RPC__SECRET", secret)).0, 0);
    for (algorithm, name) in ["HS256", "HS384", "HS512"]
        .into_iter()
        .flat_map(|algorithm| SECRETS.map(|name| (algorithm, name)))
    {
        let sources = Sources::default().flag("tokens.algorithm", algorithm);
        Settings::load(&sources.flag(name, secret)).expect(name);
    }
}

#[test]
fn check_config_prints_what_would_run_and_the_warnings() {
    let (code, output, errors) = run(&mut sessiond(&["check-config"]));
    let expected = "\
the settings are valid
address: 127.0.0.1:8385
store: memory at this process
APIs: buckets (/session, /api-key), RPC (/rpc, /health-check)
warning: sessions are kept in memory and end with this process; set store.redis or store.file to keep them
warning: tokens.secret is not set: tokens end with this process; set it to keep them valid
warning: buckets.master_keys is not set: no bucket can get an API key
";
    assert_eq!((code, &*output, &*errors), (0, expected, ""));
    let mut check = sessiond(&["check-config", "--redis", "redis://:h1dd3n@127.0.0.1:1/3"]);
    let (code, output, errors) = run(check.envs([
        ("SESSIOND__TOKENS__SECRET", SECRET),
        ("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY),
        ("SESSIOND__HTTP__LISTEN", "[::1]:7"),
        ("SESSIOND__OPERATORS__LISTEN", "unix:/o.sock"),
        ("SESSIOND__RPC__ENABLED", "false"),
        ("SESSIOND__USERS__ENABLED", "true"),
        ("SESSIOND__ADMIN__ENABLED", "true"),
    ]));
    let expected = "\
the settings are valid
address: [::1]:7
address for operators: unix:/o.sock
store: redis at 127.0.0.1:1
APIs: buckets (/session, /api-key), users (/sessions), admin pages (/admin)
";
    assert_eq!((code, &*output, &*errors), (0, expected, ""));
}

#[test]
fn all_mistakes_are_printed_at_once_also_at_a_start() {
    for args in [&["check-config"][..], &[]] {
        let mut command = sessiond(args);
        let (code, output, errors) = run(command.envs([
            ("RUST_LOG", "inf"),
            ("SESSIOND_STORE__REDIS", "redis://a"),
            ("SESSIOND__STORE__REDIS", "redis://user:a#b@host"),
            ("SESSIOND__STORE__CA_FILE", "/no"),
            ("SESSIOND__HTTP__THREADS", "many"),
            ("SESSIOND__TOKENS__SECRET", "short"),
        ]));
        let found: Vec<_> = errors.lines().collect();
        let expected = [
            "sessiond: SESSIOND_STORE__REDIS: is not a setting; use SESSIOND__STORE__REDIS",
            "sessiond: http.threads: must be an",
            "sessiond: tokens.secret: must be at least 32 bytes long; see `sessiond generate-secret`",
            "sessiond: RUST_LOG: must be a level (error, warn, info, debug, trace, off), or",
            "sessiond: store.ca_file: cannot be read: No such file",
            "sessiond: store.redis: the session store is not configured right (user and password must be percent-encoded",
        ];
        assert_eq!((code, &*output), (2, ""));
        assert_eq!(found.len(), expected.len(), "{errors}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
        assert!(errors.contains("in sessiond by store.user and store.password"));
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
SESSIOND__TOKENS__SECRET_FILE=/no check-config -> sessiond: tokens.secret_file: cannot be read: No such file
RUST_LOG=warning -> sessiond: RUST_LOG: must be a level
SESSIOND_LISTEN=a --listen 127.0.0.1:0 -> sessiond: SESSIOND_LISTEN: is not a setting; use SESSIOND__HTTP__LISTEN
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
