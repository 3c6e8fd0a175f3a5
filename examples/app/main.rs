//! A server to try everything: sessions over HTTP, with a page to do it by hand.
//!
//! `cargo run --example app`, then open <http://127.0.0.1:3000>. Every route takes GET and POST;
//! parameters stand in the query, a form or a JSON object.
//!
//! | route | does |
//! |---|---|
//! | `/` | the page |
//! | `/session/create` | logs `username` in with any `password`; stores all other parameters |
//! | `/session/read`, `/session/reload`, `/session/touch` | answer with the session |
//! | `/session/update` | stores the parameters (JSON null removes one), `foo` = `bar` without any |
//! | `/session/rotate` | a new token for the same session |
//! | `/session/list` | the sessions of the same user |
//! | `/session/destroy` | logs out; with `id` another session of the same user |
//! | `/session/destroy-others`, `/session/destroy-all` | log out elsewhere, everywhere |
//! | `/health` | says `ok`, whatever Redis does |
//!
//! | variable | default | |
//! |---|---|---|
//! | `LISTEN` | `127.0.0.1:3000` | |
//! | `REDIS_URL` | | without it sessions are kept in memory |
//! | `JWT_SECRET` | | without it one is drawn, and tokens end with the process |
//! | `JWT_ALGORITHM` | `HS256` | or `HS384`, `HS512` |
//! | `KEYSPACE` | `sess:` | in front of every key in Redis |
//! | `MAX_AGE` | `86400` | seconds without use after which a session ends |
//! | `ABSOLUTE_LIFETIME` | | seconds after which it ends however much it is used |
//! | `RUST_LOG` | `info` | `debug` shows every request |

mod config;
mod error;
mod page;
mod params;
mod routes;

use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::http::{Request, StatusCode};
use axum::routing::on;
use config::{Config, Wrong};
use error::AppError;
use jwt_redis_session::{JwtRedisSession, Sessions};
use routes::GET_AND_POST;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower_http::trace::TraceLayer;

/// How long requests under way may take once the server is told to stop.
const GRACE: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(wrong) => {
            eprintln!("error: {wrong}");
            ExitCode::from(2)
        }
    }
}

async fn run() -> Result<(), Wrong> {
    config::logging()?;
    let config = Config::from_env()?;
    let app = app(config.sessions()?);
    let listen =
        |error: std::io::Error| Wrong::new("LISTEN", format!("{}: {error}", config.listen));
    let listener = TcpListener::bind(&config.listen).await.map_err(listen)?;
    config.announce();
    println!(
        "listening on http://{}",
        listener.local_addr().map_err(listen)?
    );
    tokio::select! {
        result = axum::serve(listener, app).with_graceful_shutdown(told_to_stop()) => {
            result.map_err(listen)
        }
        () = grace_is_over() => Ok(()),
    }
}

fn app(sessions: Sessions) -> Router {
    routes::router(sessions.clone())
        .layer(JwtRedisSession::new(sessions))
        // Outside the layer, since these need no session.
        .merge(page::router())
        .route("/health", on(GET_AND_POST, async || "ok"))
        .fallback(async || AppError::new(StatusCode::NOT_FOUND, "there is no such page"))
        .method_not_allowed_fallback(async || {
            AppError::new(
                StatusCode::METHOD_NOT_ALLOWED,
                "only GET and POST are allowed",
            )
        })
        // The path only: a query may hold a password or a token.
        .layer(
            TraceLayer::new_for_http().make_span_with(|request: &Request<_>| {
                let path = request.uri().path();
                tracing::debug_span!("request", method = %request.method(), path)
            }),
        )
}

/// Waits for Ctrl-C or SIGTERM.
async fn told_to_stop() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

async fn grace_is_over() {
    told_to_stop().await;
    tokio::time::sleep(GRACE).await;
}
