//! What all servers have in common: their settings, and the parameters of their routes.
//!
//! | route | does | answers |
//! |---|---|---|
//! | `POST /login?user=U` | logs in; with `renew=1` as the library advises for logins | 200, the token as text or cookie |
//! | `GET /read` | loads the session | 200, its fields as JSON |
//! | `GET /field` | loads the session | 200, its field `a` as text |
//! | `POST /set?k=K&v=V&sleep_ms=N` | loads, waits, changes a field, saves; with `explicit=1` in the handler | 200 |
//! | `POST /update` | loads, adds 1 to a counter, saves | 200 |
//! | `POST /add?sleep_ms=N` | reads a counter, waits, writes it with 1 added, saves | 200 |
//! | `POST /add-atomically?sleep_ms=N` | waits, adds 1 in one atomic operation of the library | 200 |
//! | `POST /rotate?sleep_ms=N` | loads, waits, changes the id | 200, the new token |
//! | `POST /logout` | ends the session | 200 |
//! | `GET /none` | nothing | 200 |
//!
//! Without a live session they answer 401, and errors as the library does.

use std::net::SocketAddr;
use std::time::Duration;

use axum::Router;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tokio::runtime::Builder;

/// The fields that `/read` returns. Some libraries cannot list the fields of a session.
pub(super) const FIELDS: [&str; 4] = ["user", "a", "b", "count"];

/// Signs the cookies and tokens of all servers.
pub(super) const SECRET: &[u8; 64] =
    b"a secret for these measurements, of 64 characters or a few more.";

/// Settings of a server, from the environment.
#[derive(Debug)]
pub struct Settings {
    /// `PORT`; 0 is any free one.
    pub port: u16,
    /// `REDIS_URL`.
    pub redis_url: String,
    /// `MAX_AGE`, in seconds.
    pub max_age: u32,
    /// `VARIANT`: the configuration of the library.
    pub variant: String,
}

impl Settings {
    /// Reads them.
    #[must_use]
    pub fn from_environment() -> Self {
        let text = |name: &str| std::env::var(name).unwrap_or_default();
        Self {
            port: text("PORT").parse().unwrap_or(0),
            redis_url: text("REDIS_URL"),
            max_age: text("MAX_AGE").parse().unwrap_or(86_400),
            variant: text("VARIANT"),
        }
    }

    pub(super) fn is(&self, variant: &str) -> bool {
        self.variant == variant
    }
}

/// The parameters of all routes.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Args {
    pub user: String,
    pub k: String,
    pub v: String,
    pub sleep_ms: u64,
    pub renew: u8,
    pub explicit: u8,
}

impl Args {
    pub async fn sleep(&self) {
        // Even a sleep of no length takes up to a millisecond.
        if self.sleep_ms > 0 {
            tokio::time::sleep(Duration::from_millis(self.sleep_ms)).await;
        }
    }
}

/// Returns those of [`FIELDS`] that have a value.
pub(super) fn present(values: [Option<Value>; FIELDS.len()]) -> Map<String, Value> {
    let fields = FIELDS.into_iter().zip(values);
    let fields = fields.filter_map(|(name, value)| Some((name.to_owned(), value?)));
    fields.collect()
}

/// The number of threads of every server, so that they differ in their libraries only.
pub(super) const THREADS: usize = 2;

/// Serves an axum application until the process is killed.
pub(super) fn serve(settings: &Settings, app: impl Future<Output = Router>) {
    let runtime = Builder::new_multi_thread()
        .worker_threads(THREADS)
        .enable_all()
        .build();
    runtime.expect("a runtime").block_on(async {
        let app = app
            .await
            .into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind(("127.0.0.1", settings.port)).await;
        let listener = listener.expect("bind the port");
        println!("listening on {}", listener.local_addr().expect("a port"));
        axum::serve(listener, app).await.expect("serve");
    });
}
