//! A server in a separate process, so that its CPU time is not mixed with that of the clients.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;

/// The argument that makes this program the bare server.
pub(crate) const BARE: &str = "--bare-server";

/// The key that opens `/api-key` on the servers that are started here.
pub(crate) const MASTER_KEY: &str = "a master key of at least 32 characters";

/// Ticks of a processor second in `/proc`, on every platform of Linux.
const TICKS: f64 = 100.0;

/// A server; killed when dropped.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    pub(crate) fn bare() -> Self {
        let this = std::env::current_exe().expect("this program's path");
        Self::start(Command::new(this).arg(BARE))
    }

    /// Starts `sessiond` on a Redis, or on memory.
    pub(crate) fn sessiond(redis: Option<&str>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
        command
            .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0")
            .env("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY)
            .env(
                "SESSIOND__TOKENS__SECRET",
                "a secret of 32 characters or more",
            );
        if let Some(redis) = redis {
            command.env("SESSIOND__STORE__REDIS", redis);
        }
        Self::start(&mut command)
    }

    /// Starts a server and waits until it logs its address.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("start");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let address = lines.by_ref().find_map(|line| {
            let line = line.expect("a line");
            line.split("address=").nth(1)?.trim().parse().ok()
        });
        // The log is read to the end, as a collector of logs would.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.expect("an address in the log"),
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the CPU time that the process has used so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("the process runs");
        // The second field is a name in brackets that may contain spaces; user and system time are
        // the 14th and the 15th.
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        let times = after_name.split_whitespace().skip(11).take(2);
        let ticks: f64 = times.map(|time| time.parse::<f64>().expect("ticks")).sum();
        Duration::from_secs_f64(ticks / TICKS)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves a bare axum route with a response as large as that of a bucket.
pub(crate) fn serve_bare() {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
        let listener = listener.expect("bind");
        eprintln!("listens address={}", listener.local_addr().expect("bound"));
        let response = (
            [("content-type", "application/json")],
            include_str!("answer.json"),
        );
        let route = get(move |_: Path<(String, String)>| async move { response });
        let app = Router::new().route("/session/{bucket}/{id}", route);
        axum::serve(listener, app).await.expect("serve");
    });
}
