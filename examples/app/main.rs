//! A server to try everything: sessions over HTTP, with a page to do it by hand.
//!
//! `cargo run --example app`, then open <http://127.0.0.1:3000>. Every route takes GET and POST;
//! parameters are in the query, a form or a JSON object.
//!
//! | route | does |
//! |---|---|
//! | `/` | the page |
//! | `/session/create` | logs `username` in with any `password`; stores all other parameters |
//! | `/session/read`, `/session/reload`, `/session/touch` | answer with the session |
//! | `/session/update` | stores the parameters (JSON null removes one), `foo` = `bar` without any |
//! | `/session/rotate` | a new token for the same session |
//! | `/session/list` | the sessions of the same user |
//! | `/session/events` | server-sent events: `end` with the reason when the session ends |
//! | `/session/destroy` | logs out; with `id` another session of the same user |
//! | `/session/destroy-others`, `/session/destroy-all` | log out elsewhere, everywhere |
//! | `/RS256/session/…`, `/ES256/session/…`, `/EdDSA/session/…` | the same, with tokens signed by a key that ends with the process |
//! | `/health` | answers `ok`, also while Redis is down |
//!
//! | variable | default | |
//! |---|---|---|
//! | `LISTEN` | `127.0.0.1:3000` | |
//! | `REDIS_URL` | | without it sessions are kept in memory |
//! | `CACHE_MAX_STALENESS` | | milliseconds for which a session may be served from this process after it ended; unset: every read goes to Redis |
//! | `JWT_SECRET` | | without it a random one is used, and tokens end with the process |
//! | `JWT_ALGORITHM` | `HS256` | or `HS384`, `HS512` |
//! | `KEYSPACE` | `sess:` | in front of every key in Redis |
//! | `MAX_AGE` | `86400` | seconds without use after which a session ends |
//! | `ABSOLUTE_LIFETIME` | | seconds after which it ends even if it is used |
//! | `LAZY` | `0` | `1` reads a session from Redis only for routes that use it |
//! | `RUST_LOG` | `info` | `debug` shows every request |

mod config;
mod error;
mod keys;
mod page;
mod params;
mod routes;

use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::routing::on;
use config::variable;
use error::AppError;
use jwt_redis_session::{JwtRedisSession, Sessions};
use routes::GET_AND_POST;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::trace::TraceLayer;

/// How long requests in progress may take after the shutdown signal.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<(), String> {
    config::logging()?;
    let app = app(config::sessions()?, variable::<u8>("LAZY")? == Some(1));
    let listen = variable("LISTEN")?.unwrap_or_else(|| "127.0.0.1:3000".to_owned());
    let failed = |error: std::io::Error| format!("LISTEN: {listen}: {error}");
    let listener = TcpListener::bind(&listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    println!("listening on http://{address}");
    let server = axum::serve(listener, app).with_graceful_shutdown(shutdown_signal());
    // Clients that never finish their request do not delay the end for ever.
    let limit = async {
        shutdown_signal().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        served = server => served.map_err(failed),
        () = limit => Ok(()),
    }
}

/// Waits for Ctrl-C or SIGTERM.
async fn shutdown_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

fn app(sessions: Vec<(&'static str, Sessions)>, lazy: bool) -> Router {
    let mut routes = page::router().route("/health", on(GET_AND_POST, "ok"));
    for (path, sessions) in sessions {
        let layer = JwtRedisSession::new(sessions.clone());
        // A lazy layer costs no command for routes that do not use their session.
        let layer = if lazy { layer.lazy() } else { layer };
        routes = routes.merge(routes::router(path, sessions).layer(layer));
    }
    let not_found = AppError::new(StatusCode::NOT_FOUND, "there is no such page");
    let not_allowed = "only GET and POST are allowed";
    let not_allowed = AppError::new(StatusCode::METHOD_NOT_ALLOWED, not_allowed);
    routes
        .fallback(not_found)
        .method_not_allowed_fallback(not_allowed)
        // The path only: a query may hold a password or a token.
        .layer(
            TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
                let path = request.uri().path();
                tracing::debug_span!("request", method = %request.method(), path)
            }),
        )
}
