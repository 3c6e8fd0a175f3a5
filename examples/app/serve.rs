//! HTTP server with a graceful shutdown.
//!
//! `axum::serve` has no timeout for clients that open a connection and never finish a request.

use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{SignalKind, signal};

/// How long a client may take to send the head of a request, and to send the next request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// How long requests in progress may take after the shutdown signal.
const GRACE: Duration = Duration::from_secs(5);
/// How long to wait when no connection can be accepted, for example without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

pub(crate) async fn serve(listener: TcpListener, app: Router) {
    let connections = GracefulShutdown::new();
    let mut shutdown_signal = std::pin::pin!(shutdown_signal());
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((socket, _)) => spawn(socket, app.clone(), &connections),
                Err(error) => {
                    tracing::warn!(%error, "no connection can be accepted");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            () = &mut shutdown_signal => break,
        }
    }
    drop(listener);
    let _ = tokio::time::timeout(GRACE, connections.shutdown()).await;
}

fn spawn(socket: TcpStream, app: Router, connections: &GracefulShutdown) {
    let service = TowerToHyperService::new(app);
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(socket), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
    });
}

/// Waits for Ctrl-C or SIGTERM.
async fn shutdown_signal() {
    let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be waited for");
    tokio::select! {
        _ = terminate.recv() => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}
