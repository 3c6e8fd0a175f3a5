//! The program `sessiond` in a process.
#![allow(dead_code, unreachable_pub)]

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Returns a command line of `sessiond` in an empty environment.
pub fn sessiond(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
    command.env_clear().args(args);
    command
}

/// Runs a command to its end; returns its exit code, standard output and standard error.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, text(output.stdout), text(output.stderr))
}

/// A running `sessiond`, killed when dropped.
pub struct Program {
    child: Child,
    log: Arc<Mutex<String>>,
    reader: Option<JoinHandle<()>>,
}

impl Program {
    /// Starts a command and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("it starts");
        let stderr = BufReader::new(child.stderr.take().expect("a pipe"));
        let log = Arc::new(Mutex::new(String::new()));
        let reader = std::thread::spawn({
            let log = Arc::clone(&log);
            move || {
                for line in stderr.lines() {
                    let line = line.expect("UTF-8");
                    log.lock().expect("no panic").extend([&line, "\n"]);
                }
            }
        });
        let program = Self {
            child,
            log,
            reader: Some(reader),
        };
        program.wait_for("sessiond is listening");
        program
    }

    /// Starts `sessiond` in memory on a free port, with further arguments.
    pub fn with(args: &[&str]) -> Self {
        Self::start(sessiond(&["--listen", "127.0.0.1:0"]).args(args))
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        self.log.lock().expect("no panic").clone()
    }

    /// Waits until the log contains `text`.
    pub fn wait_for(&self, text: &str) {
        let deadline = Instant::now() + Duration::from_secs(10);
        while !self.log().contains(text) {
            assert!(Instant::now() < deadline, "no `{text}` in {}", self.log());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    /// Returns the address in the log.
    pub fn address(&self) -> String {
        let log = self.log();
        let (_, after) = log.split_once("address").expect("an address");
        let start = after.find(|c: char| c.is_ascii_digit()).expect("digits");
        let address = |c: &char| c.is_ascii_digit() || ".:".contains(*c);
        after[start..].chars().take_while(address).collect()
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        let mut kill = Command::new("kill");
        kill.args(["-s", name, &self.child.id().to_string()]);
        assert!(kill.status().expect("kill").success());
    }

    /// Waits until the program ends; returns its status and its whole log.
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
