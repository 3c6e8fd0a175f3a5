//! The program itself, as an operator runs it.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// A command line of `sessiond` with no environment but what is added.
pub fn sessiond(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
    command.env_clear().args(args);
    command
}

/// Runs a command that ends by itself: its exit code, what it printed, what it complained of.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        status.code().expect("no signal"),
        text(stdout),
        text(stderr),
    )
}

/// A running `sessiond`; killed when dropped.
pub struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts it and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let log = Arc::new(Mutex::new(String::new()));
        let reader = collect(child.stderr.take().expect("a pipe"), Arc::clone(&log));
        let program = Self {
            child,
            log,
            reader: Some(reader),
        };
        program.wait_for("sessiond listens");
        program
    }

    /// On a free port, in memory, with a few more arguments.
    pub fn with(args: &[&str]) -> Self {
        Self::start(sessiond(&["--listen", "127.0.0.1:0"]).args(args))
    }

    /// What it has logged so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Waits until the log holds `text`.
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "no `{text}` in {}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// The address that the log says it listens on.
    pub fn address(&self) -> String {
        let log = self.log();
        let (_, after) = log.split_once("address").expect("an address");
        let address = |c: char| c.is_ascii_digit() || ".:".contains(c);
        let start = after.find(|c: char| c.is_ascii_digit()).expect("digits");
        let after = &after[start..];
        let end = after.find(|c| !address(c)).unwrap_or(after.len());
        after[..end].to_owned()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().expect("kill").success());
    }

    /// Waits until it has ended: how, and its whole log.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().expect("it was started");
        if let Some(reader) = self.reader.take() {
            reader.join().expect("no panic");
        }
        (status, self.log())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn collect(from: impl Read + Send + 'static, log: Arc<Mutex<String>>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        for line in BufReader::new(from).lines() {
            let line = line.expect("UTF-8");
            log.lock().expect("no panic").extend([&line, "\n"]);
        }
    })
}
