//! Serves connections until shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use metrics::{Gauge, gauge};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::app::App;
use crate::http::ClientAddress;
use crate::operators::metrics::upkeep;

/// The pause after a failed accept, for example without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time for which connections are still accepted during shutdown. Closing the listener resets
/// the connections in its backlog.
const DRAIN: Duration = Duration::from_millis(20);

/// Serves requests until `shutdown` completes, then waits at most `http.shutdown_timeout` for the
/// requests in progress.
///
/// Replaces `axum::serve`, which limits neither the number of connections nor the time until a
/// request arrives.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    let upkeep = tokio::spawn(upkeep());
    let connections = GracefulShutdown::new();
    accept_until(&listener, &app, &connections, shutdown).await;
    accept_until(&listener, &app, &connections, tokio::time::sleep(DRAIN)).await;
    // Before waiting, so that new clients connect to another instance.
    drop(listener);
    let finished = connections.shutdown();
    let finished = tokio::time::timeout(app.http.shutdown_timeout, finished).await;
    if finished.is_err() {
        tracing::warn!("the shutdown timeout has expired; requests in progress were aborted");
    }
    upkeep.abort();
}

async fn accept_until(
    listener: &TcpListener,
    app: &App,
    connections: &GracefulShutdown,
    end: impl Future<Output = ()>,
) {
    let mut end = std::pin::pin!(end);
    loop {
        tokio::select! {
            (socket, peer, permit) = accept(listener, &app.connection_limit) => {
                spawn(app, connections, socket, peer, permit);
            }
            () = &mut end => return,
        }
    }
}

/// Serves a connection in a task.
fn spawn(
    app: &App,
    connections: &GracefulShutdown,
    socket: TcpStream,
    peer: IpAddr,
    permit: OwnedSemaphorePermit,
) {
    // Responses are small: waiting for more to send only delays them.
    let _ = socket.set_nodelay(true);
    // A client that stops reading a response would hold its permit forever.
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(app.http.write_timeout));
    let address = ClientAddress {
        peer,
        trusted_proxies: app.http.trusted_proxies,
    };
    let router = app.router();
    let service = service_fn(move |request| respond(request, router.clone(), address));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.http.header_timeout)
        .serve_connection(TokioIo::new(Box::pin(socket)), service);
    let connection = connections.watch(connection);
    let open = OpenConnection::new(permit);
    tokio::spawn(async move {
        // Held until the socket is closed: the permit limits connections, not requests.
        let _open = open;
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection failed");
        }
    });
}

/// Holds a permit and counts the connection. Dropping it releases both, even if the task panics.
struct OpenConnection {
    gauge: Gauge,
    _permit: OwnedSemaphorePermit,
}

impl OpenConnection {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        let gauge = gauge!("sessiond_connections");
        gauge.increment(1);
        Self {
            gauge,
            _permit: permit,
        }
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.gauge.decrement(1);
    }
}

/// Waits for a permit, then for a connection. So connections beyond the limit wait in the system's
/// queue; in the other order, they would use file descriptors of this process.
async fn accept(
    listener: &TcpListener,
    limit: &Arc<Semaphore>,
) -> (TcpStream, IpAddr, OwnedSemaphorePermit) {
    let permit = Arc::clone(limit).acquire_owned().await;
    let permit = permit.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return (socket, peer.ip(), permit),
            // Accepting works again when descriptors or memory are free. Without the pause, this
            // loop would spin until then.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn respond(
    mut request: hyper::Request<Incoming>,
    router: Router,
    address: ClientAddress,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(address);
    router.oneshot(request).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::metrics::recorder;

    #[tokio::test]
    async fn a_connection_counts_until_its_task_ends_or_panics() {
        let counts = |count| {
            let line = format!("sessiond_connections {count}\n");
            recorder().render().contains(&line)
        };
        recorder();
        let limit = Arc::new(Semaphore::new(1));
        let permit = Arc::clone(&limit).acquire_owned().await.unwrap();
        let open = OpenConnection::new(permit);
        assert!(counts(1) && limit.available_permits() == 0);
        let task = tokio::spawn(async move {
            let _open = open;
            panic!("a bug");
        });
        assert!(task.await.is_err());
        assert!(counts(0) && limit.available_permits() == 1);
    }
}
