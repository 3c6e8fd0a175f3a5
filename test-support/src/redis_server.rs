//! A `redis-server` process for one test.

use std::fs::File;
use std::io::ErrorKind;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::unique;

/// Runs on a free loopback port with a directory of its own, without persistence unless asked;
/// killed and removed when dropped.
#[derive(Debug)]
pub struct RedisServer {
    child: Child,
    port: u16,
    dir: PathBuf,
    args: Vec<String>,
}

impl RedisServer {
    /// Starts a server and waits until it answers.
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts a server with extra command line arguments; `{dir}` in them is its directory.
    pub fn start_with(args: &[&str]) -> Self {
        let dir = std::env::temp_dir().join(unique("jrs-redis").replace(':', "-"));
        std::fs::create_dir_all(&dir).expect("create a directory for redis");
        let place = dir.display().to_string();
        let args: Vec<String> = args
            .iter()
            .map(|arg| arg.replace("{dir}", &place))
            .collect();
        // The port may be taken between the asking and the binding: then ask again.
        for _ in 0..20 {
            let port = free_port();
            let mut child = spawn(&dir, port, &args);
            if is_up(&mut child, port) {
                return Self {
                    child,
                    port,
                    dir,
                    args,
                };
            }
            let _ = child.kill();
            let _ = child.wait();
        }
        let log = std::fs::read_to_string(dir.join("log")).unwrap_or_default();
        panic!("redis-server does not start: {log}");
    }

    /// Whether a `redis-server` of this machine understands TLS, ACLs and the like is up to it;
    /// this is where it listens.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it listens, as host and port.
    pub fn address(&self) -> std::net::SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The URL without credentials.
    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/", self.port)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs one command on a connection of its own and returns the answer.
    pub fn command(&self, words: &[&str]) -> redis::RedisResult<redis::Value> {
        admin(&self.url(), words)
    }

    /// Runs one command that must work.
    pub fn run(&self, words: &[&str]) -> redis::Value {
        match self.command(words) {
            Ok(value) => value,
            Err(error) => panic!("{words:?}: {error}"),
        }
    }

    /// Kills it as a power cut would.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again on the same port and waits until it answers.
    pub fn restart(&mut self) {
        self.restart_unready();
        assert!(
            is_up(&mut self.child, self.port),
            "redis does not come back"
        );
    }

    /// Starts it again on the same port without waiting.
    pub fn restart_unready(&mut self) {
        self.kill();
        self.child = spawn(&self.dir, self.port, &self.args);
    }

    /// Hangs it: connections are still accepted, by the kernel, and nothing is answered.
    pub fn pause(&self) {
        self.signal("STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("CONT");
    }

    fn signal(&self, name: &str) {
        let line = format!("kill -{name} {}", self.pid());
        let status = Command::new("sh").args(["-c", &line]).status();
        assert!(status.expect("run sh").success(), "{line}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// Returns a server for tests that need none of their own: the one of `REDIS_URL`, or one that
/// is started for this test.
pub fn any() -> (String, Option<RedisServer>) {
    match std::env::var("REDIS_URL") {
        Ok(url) => (url, None),
        Err(_) => {
            let server = RedisServer::start();
            (server.url(), Some(server))
        }
    }
}

/// Runs one command at `url` on a blocking connection of its own.
pub fn admin(url: &str, words: &[&str]) -> redis::RedisResult<redis::Value> {
    let mut connection = redis::Client::open(url)?.get_connection()?;
    connection.set_read_timeout(Some(Duration::from_secs(10)))?;
    let mut command = redis::cmd(words[0]);
    command.arg(&words[1..]).query(&mut connection)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("bind a loopback port");
    listener.local_addr().expect("a bound port").port()
}

fn spawn(dir: &Path, port: u16, args: &[String]) -> Child {
    let log = File::create(dir.join("log")).expect("create a log for redis");
    let child = Command::new("redis-server")
        .args(["--bind", "127.0.0.1", "--port", &port.to_string()])
        .args(["--save", "", "--appendonly", "no", "--daemonize", "no"])
        .arg("--dir")
        .arg(dir)
        .args(args)
        .stdin(Stdio::null())
        .stdout(log.try_clone().expect("share the log"))
        .stderr(log)
        .spawn();
    match child {
        Ok(child) => child,
        Err(error) if error.kind() == ErrorKind::NotFound => panic!(
            "these tests need a redis-server; install it with\n\n    \
             apt-get install -y redis-server\n\nand run ./test again"
        ),
        Err(error) => panic!("redis-server does not start: {error}"),
    }
}

/// Waits until the server answers, whatever it says; false if it ends instead.
fn is_up(child: &mut Child, port: u16) -> bool {
    let url = format!("redis://127.0.0.1:{port}/");
    let deadline = Instant::now() + Duration::from_secs(10);
    while Instant::now() < deadline {
        if child.try_wait().expect("ask for the server").is_some() {
            return false;
        }
        match admin(&url, &["PING"]) {
            Ok(_) => return true,
            // It answers; it is just not for everybody.
            Err(error) if matches!(error.code(), Some("NOAUTH" | "DENIED")) => return true,
            Err(_) => std::thread::sleep(Duration::from_millis(5)),
        }
    }
    false
}
