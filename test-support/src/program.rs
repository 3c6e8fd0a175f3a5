//! Programs under test, each in a separate process.

use std::net::SocketAddr;
use std::process::{Child, Command, ExitStatus};
use std::time::{Duration, Instant};

use tempfile::NamedTempFile;

/// Runs a command to its end; returns its exit code, standard output and standard error.
pub fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("it starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let code = output.status.code().expect("no signal");
    (code, text(output.stdout), text(output.stderr))
}

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct Program {
    child: Child,
    /// Receives standard output and standard error.
    log: NamedTempFile,
    address: SocketAddr,
}

impl Program {
    /// Starts a command and waits until it listens.
    pub fn start(command: &mut Command) -> Self {
        let log = NamedTempFile::new().expect("a temporary file");
        let [stdout, stderr] = [(); 2].map(|()| log.as_file().try_clone().expect("a handle"));
        let child = command.stdout(stdout).stderr(stderr).spawn();
        let child = child.expect("it starts");
        let address = ([127, 0, 0, 1], 0).into();
        let mut program = Self {
            child,
            log,
            address,
        };
        program.wait_for("listening");
        let log = program.log();
        let line = log.lines().find(|line| line.contains("listening"));
        let mut hosts = ["127.0.0.1:", "[::]:", "0.0.0.0:"].into_iter();
        // A Unix socket has none.
        if let Some((_, port)) = hosts.find_map(|host| line?.split_once(host)) {
            let port: String = port.chars().take_while(char::is_ascii_digit).collect();
            program.address.set_port(port.parse().expect("a port"));
        }
        program
    }

    /// Returns the loopback address with the port in the log.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the process identifier.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the CPU time that its threads have used so far.
    pub fn cpu_time(&self) -> Duration {
        cpu_time(self.id())
    }

    /// Returns the log so far.
    pub fn log(&self) -> String {
        let log = std::fs::read(self.log.path()).expect("the log");
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits until the log contains `text`.
    pub fn wait_for(&self, text: &str) {
        let found = poll(|| self.log().contains(text).then_some(()));
        assert!(found.is_some(), "no `{text}` in {}", self.log());
    }

    /// Sends a signal by its name.
    pub fn signal(&self, name: &str) {
        signal(&self.child, name);
    }

    /// Waits until the program ends; returns its status and its whole log.
    pub fn wait(&mut self) -> (ExitStatus, String) {
        let status = poll(|| self.child.try_wait().expect("a child"));
        (status.expect("it ends"), self.log())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Returns the CPU time that the threads of a process have used so far.
pub fn cpu_time(process: u32) -> Duration {
    let threads = std::fs::read_dir(format!("/proc/{process}/task"));
    let times = threads.expect("the process runs").map(|thread| {
        let file = thread.expect("a thread").path().join("schedstat");
        // A thread can end meanwhile.
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let nanoseconds = text.split(' ').next().and_then(|field| field.parse().ok());
        Duration::from_nanos(nanoseconds.unwrap_or(0))
    });
    times.sum()
}

pub(crate) fn signal(child: &Child, name: &str) {
    let mut kill = Command::new("kill");
    kill.args(["-s", name, &child.id().to_string()]);
    assert!(kill.status().expect("run kill").success(), "{name}");
}

/// Polls `probe` until it returns something, for at most ten seconds.
fn poll<T>(mut probe: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let found = probe();
        if found.is_some() || Instant::now() > deadline {
            return found;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
