//! Answers requests until told to stop.

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

/// How long to wait when no connection can be accepted, for want of file descriptors say.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long connections are still accepted once told to stop: those that wait in the system's
/// queue by then would be reset otherwise.
const LAST_CALL: Duration = Duration::from_millis(20);

/// Answers the requests that come in through `listener` until `shutdown` is ready, then lets
/// those under way finish, for `http.shutdown_timeout` at most.
///
/// `axum::serve` would do, but for clients that open connections without end, or open one and
/// never send a request.
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

/// What serves connections.
struct Server {
    app: App,
    room: Arc<Semaphore>,
    connections: GracefulShutdown,
}

impl Server {
    fn new(app: App) -> Self {
        Self {
            room: Arc::clone(app.room()),
            connections: GracefulShutdown::new(),
            app,
        }
    }

    async fn accept_until(&self, listener: &TcpListener, end: impl Future<Output = ()>) {
        let mut end = std::pin::pin!(end);
        loop {
            tokio::select! {
                (socket, peer, place) = accept(listener, &self.room) => {
                    self.spawn(socket, peer, place);
                }
                () = &mut end => return,
            }
        }
    }

    /// A connection that breaks when the other end reads nothing of an answer for too long: it
    /// would take the place of others for ever.
    fn guarded(&self, socket: TcpStream) -> Pin<Box<TimeoutStream<TcpStream>>> {
        let mut socket = TimeoutStream::new(socket);
        socket.set_write_timeout(Some(self.app.http().write_timeout));
        Box::pin(socket)
    }

    fn spawn(&self, socket: TcpStream, peer: IpAddr, place: Place) {
        // Answers are small: waiting for more to send only delays them.
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
            .serve_connection(TokioIo::new(self.guarded(socket)), service);
        let connection = self.connections.watch(connection);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection broke");
            }
            drop(place);
        });
    }
}

/// A connection's place among those that are served at once.
struct Place {
    _permit: OwnedSemaphorePermit,
    connections: Gauge,
}

impl Place {
    fn taken(permit: OwnedSemaphorePermit) -> Self {
        let connections = ::metrics::gauge!("sessiond_connections");
        connections.increment(1);
        Self {
            _permit: permit,
            connections,
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.connections.decrement(1);
    }
}

/// Waits for room, then for a connection.
async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> (TcpStream, IpAddr, Place) {
    let permit = Arc::clone(room).acquire_owned().await;
    let permit = permit.expect("the semaphore is never closed");
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => return (socket, peer.ip(), Place::taken(permit)),
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
