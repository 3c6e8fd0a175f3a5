//! Addresses to listen on, and the health of what listens there.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::program::{Program, run, server, sessiond};
use crate::service::{MASTER_KEY, SECRET};

/// Required on an address that other machines can reach.
const RPC_SECRET: (&str, &str) = (
    "SESSIOND__RPC__SECRET",
    "an RPC secret of at least 32 characters",
);

/// Returns the exit code of `sessiond health` with further arguments.
fn health(arguments: &[&str]) -> i32 {
    let mut health = sessiond(&["health"]);
    run(health.args(arguments).envs([RPC_SECRET])).0
}

/// Starts the program on an address that it cannot have; returns its exit code and its error.
fn refused(listen: &str) -> (i32, String) {
    let mut command = Command::new("timeout");
    command.args(["10", env!("CARGO_BIN_EXE_sessiond"), "--listen", listen]);
    let (code, _, error) = run(&mut command);
    (code, error)
}

/// Returns a command line of curl that prints the status of a response.
fn status() -> Command {
    let mut curl = Command::new("curl");
    let arguments = "-s --max-time 10 -o /dev/null -w %{http_code}";
    curl.args(arguments.split(' '));
    curl
}

/// Returns the status of `GET path` on a Unix socket.
fn status_on(socket: &Path, path: &str) -> String {
    let url = format!("http://localhost{path}");
    run(status().arg("--unix-socket").arg(socket).arg(url)).1
}

#[test]
fn every_form_of_address_is_served() {
    for (listen, logged) in [
        ("127.0.0.1:0", "127.0.0.1:"),
        ("localhost:0", "127.0.0.1:"),
        (":0", "[::]:"),
    ] {
        let program = Program::start(sessiond(&["--listen", listen]).envs([RPC_SECRET]));
        // Without IPv6, all interfaces are those of IPv4.
        let log = program.log();
        assert!(log.contains(logged) || log.contains("0.0.0.0:"), "{log}");
        let address = program.address().to_string();
        assert_eq!(health(&["--listen", &address]), 0, "{listen}");
        let all = format!(":{}", program.address().port());
        assert_eq!(health(&["--listen", &all]), 0, "{listen}");
    }
}

#[test]
fn a_unix_socket_is_served_and_removed() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("s.sock");
    let listen = format!("unix:{}", socket.display());
    let start = || Program::start(&mut sessiond(&["--listen", &listen]));
    let mut program = start();
    assert_eq!(status_on(&socket, "/healthz"), "200");
    assert_eq!(health(&["--listen", &listen]), 0);
    let mode = std::fs::metadata(&socket).expect("a file").permissions();
    assert_eq!(mode.mode() & 0o777, 0o660);
    // Another process must not take the socket over.
    let (code, error) = refused(&listen);
    assert_eq!(code, 1);
    assert!(error.contains("Address already in use"), "{error}");
    assert_eq!(status_on(&socket, "/healthz"), "200");
    program.signal("KILL");
    program.wait();
    assert!(socket.exists(), "the killed process leaves it behind");
    assert_eq!(health(&["--listen", &listen]), 1);
    let mut program = start();
    assert_eq!(status_on(&socket, "/healthz"), "200");
    program.signal("TERM");
    assert!(program.wait().0.success());
    assert!(!socket.exists());
}

#[test]
fn a_file_that_is_not_an_abandoned_socket_is_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("s.sock");
    std::fs::write(&path, "data").expect("write");
    let listen = format!("unix:{}", path.display());
    assert_eq!(refused(&listen).0, 1, "it is not a socket");
    assert_eq!(std::fs::read(&path).expect("the file"), b"data");
    // Another process has replaced the socket of the one that ends.
    std::fs::remove_file(&path).expect("remove");
    let mut program = Program::start(&mut sessiond(&["--listen", &listen]));
    std::fs::remove_file(&path).expect("remove");
    std::fs::write(&path, "data").expect("write");
    program.signal("TERM");
    program.wait();
    assert_eq!(std::fs::read(&path).expect("the file"), b"data");
}

/// Starts the program as systemd does, with sockets of the names and kinds.
fn activated(sockets: &[&str], settings: &[(&str, &str)]) -> Command {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clients/systemd.py");
    let mut command = Command::new("python3");
    command.arg(script).args(sockets).arg("--");
    command.arg(env!("CARGO_BIN_EXE_sessiond"));
    command.envs(settings.iter().copied()).envs([RPC_SECRET]);
    command
}

const BY_SYSTEMD: (&str, &str) = ("SESSIOND__HTTP__LISTEN", "systemd");

#[test]
fn sockets_of_systemd_are_served_by_their_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("s.sock");
    let unix = format!("http={}", socket.display());
    let operators = ("SESSIOND__OPERATORS__LISTEN", "systemd");
    let sockets = ["other=tcp", &unix, "operators=tcp"];
    let mut program = Program::start(&mut activated(&sockets, &[BY_SYSTEMD, operators]));
    assert_eq!(status_on(&socket, "/health-check"), "200");
    assert_eq!(status_on(&socket, "/healthz"), "404");
    program.wait_for("for operators address=127.0.0.1:");
    program.signal("TERM");
    assert!(program.wait().0.success());
    assert!(socket.exists(), "it is systemd's");
    let (code, _, error) = run(&mut activated(&["other=tcp"], &[BY_SYSTEMD]));
    assert_eq!(code, 1);
    assert!(error.contains("FileDescriptorName=http"), "{error}");
}

#[test]
fn an_address_for_operators_has_their_endpoints_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("operators.sock");
    let listen = format!("unix:{}", socket.display());
    let mut command = server(&[]);
    command
        .env("SESSIOND__OPERATORS__LISTEN", &listen)
        .env("SESSIOND__ADMIN__ENABLED", "true")
        .env("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY)
        .env("SESSIOND__HTTP__MAX_CONNECTIONS", "1");
    let program = Program::start(&mut command);
    let public = format!("http://{}", program.address());
    for (path, of_operators, of_public) in [
        ("/healthz", "200", "404"),
        ("/readyz", "200", "404"),
        ("/metrics", "200", "404"),
        ("/admin", "303", "404"),
        ("/admin/login", "200", "404"),
        ("/docs/", "200", "404"),
        ("/openapi.json", "200", "404"),
        ("/health-check", "404", "200"),
        ("/session/settings", "405", "200"),
    ] {
        assert_eq!(status_on(&socket, path), of_operators, "{path}");
        let found = run(status().arg(format!("{public}{path}"))).1;
        assert_eq!(found, of_public, "{path}");
    }
    // Clients of the APIs do not keep operators out.
    let _only = std::net::TcpStream::connect(program.address()).expect("connect");
    let _waiting = std::net::TcpStream::connect(program.address()).expect("connect");
    let operators = [("SESSIOND__OPERATORS__LISTEN", &*listen)];
    assert_eq!(run(sessiond(&["health"]).envs(operators)).0, 0);
}

#[test]
fn health_distinguishes_alive_from_ready() {
    let mut command = server(&["--redis", "redis://127.0.0.1:1"]);
    let program = Program::start(command.env("SESSIOND__TOKENS__SECRET", SECRET));
    let address = program.address().to_string();
    assert_eq!(health(&["--listen", &address]), 0);
    assert_eq!(health(&["--listen", &address, "--ready"]), 1);
    drop(program);
    let (code, _, error) = run(sessiond(&["health", "--listen", &address]).env_clear());
    assert_eq!(code, 1);
    assert!(error.contains("Connection refused"), "{error}");
}
