//! Serves connections until shutdown.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use metrics::{Gauge, gauge};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::app::App;
use crate::http::Peer;
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
            (accepted, permit) = accept(listener, &app.connection_limit) => {
                spawn(app, connections, accepted, permit);
            }
            () = &mut end => return,
        }
    }
}

/// Serves a connection in a task.
fn spawn(
    app: &App,
    connections: &GracefulShutdown,
    (socket, address): (TcpStream, SocketAddr),
    permit: OwnedSemaphorePermit,
) {
    // Responses are small: waiting for more to send only delays them.
    let _ = socket.set_nodelay(true);
    // A client that stops reading a response would hold its permit forever.
    let mut socket = TimeoutStream::new(socket);
    socket.set_write_timeout(Some(app.http.write_timeout));
    let socket = TokioIo::new(Box::pin(socket));
    let peer = Peer {
        address: address.ip(),
        trusted_proxies: app.http.trusted_proxies,
    };
    let service = app.service();
    let service = service.map_request(move |mut request: Request<Incoming>| {
        request.extensions_mut().insert(peer);
        request
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(app.http.header_timeout)
        .serve_connection(socket, TowerToHyperService::new(service));
    let connection = connections.watch(connection);
    let held = (permit, OpenConnection::new());
    tokio::spawn(async move {
        // Held until the socket is closed: the permit limits connections, not requests.
        let _held = held;
        if let Err(error) = connection.await {
            tracing::debug!(%error, "the connection failed");
        }
    });
}

/// Counts a connection until it is dropped, even if its task panics.
struct OpenConnection(Gauge);

impl OpenConnection {
    fn new() -> Self {
        let gauge = gauge!("sessiond_connections");
        gauge.increment(1);
        Self(gauge)
    }
}

impl Drop for OpenConnection {
    fn drop(&mut self) {
        self.0.decrement(1);
    }
}

/// Waits for a permit, then for a connection. So connections beyond the limit wait in the system's
/// queue; in the other order, they would use file descriptors of this process.
async fn accept(
    listener: &TcpListener,
    limit: &Arc<Semaphore>,
) -> ((TcpStream, SocketAddr), OwnedSemaphorePermit) {
    let permit = Arc::clone(limit).acquire_owned().await;
    let permit = permit.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok(accepted) => return (accepted, permit),
            // Accepting works again when descriptors or memory are free. Without the pause, this
            // loop would spin until then.
            Err(error) => {
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operators::metrics::recorder;

    #[tokio::test]
    async fn a_connection_counts_until_its_task_panics() {
        let recorder = recorder();
        let open = OpenConnection::new();
        assert!(recorder.render().contains("sessiond_connections 1\n"));
        let task = tokio::spawn(async move {
            let _open = open;
            panic!("a bug");
        });
        assert!(task.await.is_err());
        assert!(recorder.render().contains("sessiond_connections 0\n"));
    }
}
