//! The app's process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A running app; killed when dropped.
pub(super) struct App {
    child: Child,
    /// Reads its log, so that it never waits for somebody to do so.
    log: Option<JoinHandle<String>>,
    pub(super) address: SocketAddr,
}

impl App {
    /// Starts the app on a free port and waits until it listens.
    pub(super) fn start(variables: &[(&str, &str)]) -> Self {
        let mut child = command(variables).spawn().expect("start the app");
        let stdout = child.stdout.take().expect("its stdout is piped");
        let mut stderr = child.stderr.take().expect("its stderr is piped");
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            stderr.read_to_string(&mut log).map(|_| log).unwrap()
        });
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("listening on http://");
        let address = address.unwrap_or_else(|| panic!("it says {line:?}"));
        let address = address.parse().expect("an address");
        Self {
            child,
            log: Some(log),
            address,
        }
    }

    pub(super) fn in_memory() -> Self {
        Self::start(&[])
    }

    pub(super) fn with_redis(url: &str) -> Self {
        Self::start(&[("REDIS_URL", url)])
    }

    /// Asks it to end, waits until it has, and returns its log.
    pub(super) fn terminate(mut self) -> (ExitStatus, String) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(sent.success());
        let status = ended(&mut self.child).expect("SIGTERM ends the app");
        let log = self.log.take().unwrap();
        (status, log.join().unwrap())
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

impl Drop for App {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs an app that cannot start, and returns its exit code and what it says.
pub(super) fn refusal(name: &str, value: &str) -> (Option<i32>, String) {
    let mut child = command(&[(name, value)]).spawn().expect("start the app");
    // One that was built before the setting existed starts, and would never end.
    if ended(&mut child).is_none() {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    assert!(output.stdout.is_empty(), "{name}={value}");
    let text = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), text)
}

fn command(variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(binary());
    command
        .env_clear()
        .env("LISTEN", "127.0.0.1:0")
        .env("RUST_LOG", "trace")
        .envs(variables.iter().copied())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// `cargo test` builds examples, next to the folder of the test binaries.
fn binary() -> PathBuf {
    let mut path = std::env::current_exe().unwrap();
    path.pop();
    path.set_file_name("examples");
    path.push("app");
    assert!(
        path.exists(),
        "{} is missing: `cargo test --test it` does not build it, `cargo build --example app` does",
        path.display()
    );
    path
}
