//! A server in a process of its own, whose CPU time can be told from that of the clients.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::bare;

/// What opens `/api-key` on the servers that are started here.
pub(crate) const MASTER_KEY: &str = "a master key of at least 32 characters";

/// Ticks of a processor second in `/proc`; Linux has had 100 on every platform for long.
const TICKS: f64 = 100.0;

/// A server; killed when dropped.
pub(crate) struct Process {
    child: Child,
    address: SocketAddr,
}

impl Process {
    pub(crate) fn bare() -> Self {
        let this = std::env::current_exe().expect("this program's path");
        Self::start(Command::new(this).arg(bare::ARGUMENT))
    }

    pub(crate) fn sessiond(redis: &str) -> Self {
        Self::start(sessiond().env("SESSIOND__STORE__REDIS", redis))
    }

    pub(crate) fn sessiond_in_memory() -> Self {
        Self::start(&mut sessiond())
    }

    /// Starts it, and waits until it says where it listens.
    fn start(command: &mut Command) -> Self {
        let mut child = command.stderr(Stdio::piped()).spawn().expect("start");
        let mut lines = BufReader::new(child.stderr.take().expect("a pipe")).lines();
        let address = lines
            .by_ref()
            .map(|line| line.expect("a line"))
            .find_map(|line| line.split("address=").nth(1)?.trim().parse().ok());
        // The log goes on being read, as a collector of logs would.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address: address.expect("it says where it listens"),
        }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// The CPU time that it has taken so far.
    pub(crate) fn cpu(&self) -> Duration {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.child.id()));
        let stat = stat.expect("the process lives");
        // The second field is a name in brackets that may hold spaces; user and system time are
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

fn sessiond() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
    command
        .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0")
        .env("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY)
        .env(
            "SESSIOND__TOKENS__SECRET",
            "a secret of the benchmark, 32 characters or more",
        );
    command
}
