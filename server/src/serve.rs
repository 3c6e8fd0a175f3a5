//! Serves connections until shutdown.

use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::Gauge;
use axum::Router;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_io_timeout::TimeoutStream;
use tower::ServiceExt as _;

use crate::app::App;
use crate::http::ClientAddress;
use crate::operators::metrics;

/// The pause after a failed accept, for example without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time for which connections are still accepted during shutdown: those in the system's queue
/// would be reset otherwise.
const LAST_CALL: Duration = Duration::from_millis(20);

/// Serves requests until `shutdown` is ready, then waits at most `http.shutdown_timeout` for those
/// in progress.
///
/// `axum::serve` limits neither the number of connections nor the time until a request arrives.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    let upkeep = tokio::spawn(metrics::upkeep());
    let shutdown_timeout = app.http().shutdown_timeout;
    let server = Server::new(app);
    server.accept_until(&listener, shutdown).await;
    let last_call = tokio::time::sleep(LAST_CALL);
    server.accept_until(&listener, last_call).await;
    drop(listener);
    let finished = server.connections.shutdown();
    if tokio::time::timeout(shutdown_timeout, finished)
        .await
        .is_err()
    {
        tracing::warn!("some connections were cut off at the end");
    }
    upkeep.abort();
}

/// Accepts and serves connections.
struct Server {
    app: App,
    limit: Arc<Semaphore>,
    connections: GracefulShutdown,
}

impl Server {
    fn new(app: App) -> Self {
        Self {
            limit: Arc::clone(app.connection_limit()),
            connections: GracefulShutdown::new(),
            app,
        }
    }

    async fn accept_until(&self, listener: &TcpListener, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                (socket, peer, permit) = accept(listener, &self.limit) => {
                    self.spawn(socket, peer, permit);
                }
                () = &mut end => return,
            }
        }
    }

    /// Closes the connection if the client stops reading a response: it would hold its permit
    /// forever.
    fn with_write_timeout(&self, socket: TcpStream) -> Pin<Box<TimeoutStream<TcpStream>>> {
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(self.app.http().write_timeout));
        Box::pin(socket)
    }

    fn spawn(&self, socket: TcpStream, peer: IpAddr, permit: ConnectionPermit) {
        // Responses are small: waiting for more to send only delays them.
        let _ = socket.set_nodelay(true);
        let address = ClientAddress {
            peer,
            trusted_proxies: self.app.http().trusted_proxies,
        };
        let router = self.app.router();
        let service =
            hyper::service::service_fn(move |request| answer(request, router.clone(), address));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(self.app.http().header_timeout)
            .serve_connection(TokioIo::new(self.with_write_timeout(socket)), service);
        let connection = self.connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(permit);
        });
    }
}

/// Permission to serve one connection, counted in `sessiond_connections`.
struct ConnectionPermit {
    _permit: OwnedSemaphorePermit,
    connections: Gauge,
}

impl ConnectionPermit {
    fn new(permit: OwnedSemaphorePermit) -> Self {
        let connections = ::metrics::gauge!("sessiond_connections");
        connections.increment(1);
        Self {
            _permit: permit,
            connections,
        }
    }
}

impl Drop for ConnectionPermit {
    fn drop(&mut self) {
        self.connections.decrement(1);
    }
}

/// Waits for a permit, then for a connection.
async fn accept(
    listener: &TcpListener,
    limit: &Arc<Semaphore>,
) -> (TcpStream, IpAddr, ConnectionPermit) {
    let permit = Arc::clone(limit).acquire_owned().await;
    let permit = permit.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return (socket, peer.ip(), ConnectionPermit::new(permit)),
            Err(error) => {
                tracing::warn!(%error, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn answer(
    mut request: hyper::Request<Incoming>,
    router: Router,
    address: ClientAddress,
) -> Result<axum::response::Response, Infallible> {
    request.extensions_mut().insert(address);
    router.oneshot(request).await
}
