//! Servers in separate processes, so that their CPU time is not mixed with that of the clients.

use std::process::Command;
use std::time::Duration;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use test_support::program::Program;

/// The argument that makes this program the bare server.
pub(crate) const BARE: &str = "--bare-server";

/// The key that opens `/api-key` on the servers that are started here.
pub(crate) const MASTER_KEY: &str = "a master key of at least 32 characters";
const SECRET: &str = "a signing secret of at least 32 characters";

/// Ticks of a processor second in `/proc`, on every platform of Linux.
const TICKS: f64 = 100.0;

pub(crate) fn bare() -> Program {
    let this = std::env::current_exe().expect("this program's path");
    Program::start(Command::new(this).arg(BARE))
}

/// Starts `sessiond` on a Redis, or on memory.
pub(crate) fn sessiond(redis: Option<&str>) -> Program {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sessiond"));
    command
        .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0")
        .env("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY)
        .env("SESSIOND__TOKENS__SECRET", SECRET);
    if let Some(redis) = redis {
        command.env("SESSIOND__STORE__REDIS", redis);
    }
    Program::start(&mut command)
}

/// Returns the CPU time that a program has used so far.
pub(crate) fn cpu(program: &Program) -> Duration {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", program.id()));
    let stat = stat.expect("the process runs");
    // The second field is a name in brackets that may contain spaces; user and system time are
    // the 14th and the 15th.
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let times = after_name.split_whitespace().skip(11).take(2);
    let ticks: f64 = times.map(|time| time.parse::<f64>().expect("ticks")).sum();
    Duration::from_secs_f64(ticks / TICKS)
}

/// Serves a bare axum route with a response as large as that of a bucket.
#[tokio::main]
pub(crate) async fn serve_bare() {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await;
    let listener = listener.expect("bind");
    eprintln!("listening on {}", listener.local_addr().expect("bound"));
    let json = [("content-type", "application/json")];
    let response = (json, include_str!("answer.json"));
    let route = get(move |_: Path<(String, String)>| async move { response });
    let app = Router::new().route("/session/{bucket}/{id}", route);
    axum::serve(listener, app).await.expect("serve");
}
