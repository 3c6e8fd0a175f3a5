//! Answers requests until told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tower::ServiceExt as _;

use crate::app::App;
use crate::http::ClientAddress;
use crate::operators::metrics;

/// How long to wait when no connection can be accepted, for want of file descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers the requests that come in through `listener` until `shutdown` is ready, then lets
/// those under way finish, for `http.shutdown_timeout` at most.
///
/// `axum::serve` would do, but for clients that open connections without end, or open one and
/// never send a request.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    metrics::install();
    let upkeep = tokio::spawn(metrics::upkeep());
    let connections = GracefulShutdown::new();
    let room = Arc::clone(app.room());
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        tokio::select! {
            (socket, peer, place) = accept(&listener, &room) => {
                spawn(socket, peer, place, &app, &connections);
            }
            () = &mut shutdown => break,
        }
    }
    drop(listener);
    let waited = tokio::time::timeout(app.http().shutdown_timeout, connections.shutdown()).await;
    if waited.is_err() {
        tracing::warn!("some requests were cut off at the end");
    }
    upkeep.abort();
}

/// Waits for room, then for a connection.
async fn accept(
    listener: &TcpListener,
    room: &Arc<Semaphore>,
) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    let place = Arc::clone(room).acquire_owned().await;
    let place = place.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return (socket, peer.ip(), place),
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

fn spawn(
    socket: TcpStream,
    peer: IpAddr,
    place: OwnedSemaphorePermit,
    app: &App,
    connections: &GracefulShutdown,
) {
    // Answers are small: waiting for more to send only delays them.
    let _ = socket.set_nodelay(true);
    let address = ClientAddress {
        peer,
        trusted_proxies: app.http().trusted_proxies,
    };
    let router = app.router();
    let service =
        hyper::service::service_fn(move |request| answer(request, router.clone(), address));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.http().header_timeout)
        .serve_connection(TokioIo::new(socket), service);
    let connection = connections.watch(connection);
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection broke");
        }
        drop(place);
    });
}

async fn answer(
    mut request: hyper::Request<Incoming>,
    router: Router,
    address: ClientAddress,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(address);
    router.oneshot(request).await
}
