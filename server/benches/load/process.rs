//! Servers in separate processes, so that their CPU time is not mixed with that of the clients.

use std::future::pending;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use jwt_redis_session_server::settings::Sources;
use jwt_redis_session_server::{App, Settings, serve};
use test_support::program::Program;
use tokio::net::TcpListener;

/// The argument that makes this program the bare server.
pub(crate) const BARE: &str = "--bare-server";

/// The argument that makes this program the service on one runtime for all threads.
pub(crate) const ONE_RUNTIME: &str = "--one-runtime";

/// The key that opens `/api-key` on the servers that are started here.
pub(crate) const MASTER_KEY: &str = "a master key of at least 32 characters";
const SECRET: &str = "a signing secret of at least 32 characters";

pub(crate) fn bare() -> Program {
    Program::start(&mut this(BARE))
}

/// Starts `sessiond` with these settings; without a Redis, on memory.
pub(crate) fn sessiond(settings: &[(&str, &str)]) -> Program {
    with_settings(Command::new(env!("CARGO_BIN_EXE_sessiond")), settings)
}

/// As [`sessiond`], but with one runtime for all threads, and without the log.
pub(crate) fn one_runtime(settings: &[(&str, &str)]) -> Program {
    with_settings(this(ONE_RUNTIME), settings)
}

fn this(argument: &str) -> Command {
    let mut this = Command::new(std::env::current_exe().expect("this program's path"));
    this.arg(argument);
    this
}

fn with_settings(mut command: Command, settings: &[(&str, &str)]) -> Program {
    // The services share a Redis, but nothing in it.
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let keyspace = format!("service {}:", STARTED.fetch_add(1, Ordering::Relaxed));
    command
        .env("SESSIOND__HTTP__LISTEN", "127.0.0.1:0")
        .env("SESSIOND__STORE__KEYSPACE", keyspace)
        .env("SESSIOND__BUCKETS__MASTER_KEYS", MASTER_KEY)
        .env("SESSIOND__TOKENS__SECRET", SECRET);
    for (setting, value) in settings {
        command.env(format!("SESSIOND__{setting}"), value);
    }
    Program::start(&mut command)
}

/// Serves a bare axum route with a response as large as that of a bucket.
#[tokio::main]
pub(crate) async fn serve_bare() {
    let listener = listen().await;
    let json = [("content-type", "application/json")];
    let response = (json, include_str!("answer.json"));
    let route = get(move |_: Path<(String, String)>| async move { response });
    let app = Router::new().route("/session/{bucket}/{id}", route);
    axum::serve(listener, app).await.expect("serve");
}

/// Serves the service of the settings in the environment.
#[tokio::main]
pub(crate) async fn serve_one_runtime() {
    let settings = Sources::default().variables(std::env::vars().filter(is_setting));
    let settings = Settings::load(&settings).expect("settings");
    let app = App::build(settings).expect("a service");
    serve(listen().await, app, pending()).await;
}

fn is_setting((name, _): &(String, String)) -> bool {
    name.starts_with("SESSIOND__")
}

async fn listen() -> TcpListener {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("bind");
    eprintln!("listening on {}", listener.local_addr().expect("bound"));
    listener
}
