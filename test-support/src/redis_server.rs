//! `redis-server` processes for tests.

use std::fs::File;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::program;

/// A `redis-server` on a free loopback port, with its own directory and without persistence unless
/// the arguments say otherwise. Dropping it kills the process and removes the directory.
///
/// The environment variable `REDIS_SERVER` names another program to start, such as that of another
/// version or of Valkey.
#[derive(Debug)]
pub struct RedisServer {
    command: Command,
    child: Child,
    port: u16,
    tls_port: Option<u16>,
    dir: TempDir,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with extra command line arguments; `{dir}` in them is its directory, and
    /// `{tls-port}` a free port for TLS.
    pub fn start_with(args: &[&str]) -> Self {
        Self::start_from("", args)
    }

    /// Starts a sentinel with these lines in its configuration file.
    pub(crate) fn start_sentinel(lines: &str) -> Self {
        Self::start_from(lines, &["--sentinel"])
    }

    fn start_from(lines: &str, args: &[&str]) -> Self {
        let mut log = String::new();
        // Another process may take the port before redis-server binds it: try another one.
        for _ in 0..20 {
            let mut server = Self::spawn(lines, args);
            if server.is_up() {
                return server;
            }
            log = std::fs::read_to_string(server.dir().join("log")).unwrap_or_default();
        }
        panic!("redis-server does not start: {log}");
    }

    fn spawn(lines: &str, args: &[&str]) -> Self {
        let dir = tempfile::tempdir().expect("create a directory for redis");
        let log = File::create(dir.path().join("log")).expect("create a log for redis");
        let [port, tls_port] = free_ports();
        let path = dir.path().display().to_string();
        let filled = |text: &str| {
            let text = text.replace("{dir}", &path);
            text.replace("{tls-port}", &tls_port.to_string())
        };
        let texts = args.iter().chain([&lines]);
        let has_tls = texts.into_iter().any(|text| text.contains("{tls-port}"));
        let program = std::env::var_os("REDIS_SERVER");
        let mut command = Command::new(program.unwrap_or_else(|| "redis-server".into()));
        if !lines.is_empty() {
            let file = dir.path().join("redis.conf");
            std::fs::write(&file, filled(lines)).expect("write a configuration for redis");
            command.arg(file);
        }
        command
            .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
            .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
            .args(["--dir", &path])
            .args(args.iter().map(|arg| filled(arg)))
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("share the log"))
            .stderr(log);
        let child = match command.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == ErrorKind::NotFound => panic!(
                "these tests need redis-server; install it with\n\n    \
                 ./test --install\n\nor with your package manager, and run the tests again"
            ),
            Err(error) => panic!("redis-server does not start: {error}"),
        };
        Self {
            command,
            child,
            port,
            tls_port: has_tls.then_some(tls_port),
            dir,
        }
    }

    /// Returns the port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Returns the port for TLS.
    pub fn tls_port(&self) -> Option<u16> {
        self.tls_port
    }

    /// Returns the port by which other servers reach this one: that for TLS if there is one.
    pub(crate) fn peer_port(&self) -> u16 {
        self.tls_port.unwrap_or(self.port)
    }

    /// Returns the process identifier.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the address.
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// Returns the URL without credentials.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Returns the working directory of the server.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// Connects, for several commands that must not wait longer than 10 s each.
    pub fn connect(&self) -> redis::Connection {
        let connection = connect(&self.url());
        connection.unwrap_or_else(|error| panic!("redis does not accept: {error}"))
    }

    /// Runs one command on a new connection and returns the reply.
    ///
    /// # Errors
    ///
    /// The server rejects the command, or does not answer within 10 s.
    pub fn command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        admin(&self.url(), words)
    }

    /// Runs one command that must succeed.
    pub fn run(&self, words: &[&str]) -> redis::Value {
        let reply = self.command(words);
        reply.unwrap_or_else(|error| panic!("{words:?}: {error}"))
    }

    /// Kills the process with SIGKILL.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Restarts the server on the same port and waits until it answers.
    pub fn restart(&mut self) {
        self.restart_unready();
        assert!(self.is_up(), "redis does not come back");
    }

    /// Restarts the server on the same port without waiting.
    pub fn restart_unready(&mut self) {
        self.kill();
        self.child = self.command.spawn().expect("start redis again");
    }

    /// Stops the process. The kernel still accepts connections; nothing is answered.
    pub fn pause(&self) {
        program::signal(&self.child, "STOP");
    }

    /// Continues the process after [`pause`](Self::pause).
    pub fn resume(&self) {
        program::signal(&self.child, "CONT");
    }

    /// Waits until the server answers anything; returns false if the process ends.
    fn is_up(&mut self) -> bool {
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
            match self.command(&["PING"]) {
                Ok(_) => return true,
                // It answers, and requires a password.
                Err(error) if matches!(error.code(), Some("NOAUTH" | "DENIED")) => return true,
                Err(_) => std::thread::sleep(Duration::from_millis(5)),
            }
        }
        false
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Returns two ports that are free at this moment.
pub(crate) fn free_ports() -> [u16; 2] {
    let listener = || TcpListener::bind(("127.0.0.1", 0)).expect("bind a loopback port");
    // Both are bound at the same time, so that they differ.
    let listeners = [listener(), listener()];
    listeners.map(|bound| bound.local_addr().expect("a bound port").port())
}

/// Runs one command at `url` on a new blocking connection.
///
/// # Errors
///
/// As [`RedisServer::command`].
pub fn admin(url: &str, words: &[&str]) -> redis::RedisResult<redis::Value> {
    let mut connection = connect(url)?;
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]).query(&mut connection)
}

fn connect(url: &str) -> redis::RedisResult<redis::Connection> {
    let connection = redis::Client::open(url)?.get_connection()?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(connection)
}
