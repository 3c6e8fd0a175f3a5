//! Accepts and serves connections until shutdown.

use std::future::Future;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use http::HeaderValue;
use hyper_util::rt::TokioExecutor;
use hyper_util::server::conn::auto::Builder;
use metrics::{Gauge, gauge};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::task::JoinSet;

use crate::app::{App, Surface};
use crate::http::Peer;
use crate::operators::metrics::upkeep;
use crate::serve::activity::Activity;
use crate::serve::connection::{protocols, serve_connection};
use crate::serve::exchange::Exchange;
use crate::serve::listener::Listener;
use crate::serve::transport::Stream;

/// The pause after a failed accept, for example without free file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The time for which connections are still accepted during shutdown. Closing the listener resets
/// the connections in its backlog.
const BACKLOG_TIME: Duration = Duration::from_millis(20);

/// Serves requests until `shutdown` completes.
///
/// Then `/readyz` fails, and requests are served for `http.drain_delay` as before. After that no
/// connection is accepted, and requests in progress have `http.shutdown_timeout` to finish.
pub async fn serve(listener: TcpListener, app: App, shutdown: impl Future<Output = ()>) {
    let listeners = vec![(Surface::Public, Listener::Tcp(listener))];
    serve_all(listeners, app, shutdown).await;
}

/// As [`serve`], on several listeners.
pub(crate) async fn serve_all(
    listeners: Vec<(Surface, Listener)>,
    app: App,
    shutdown: impl Future<Output = ()>,
) {
    let mut tasks = JoinSet::new();
    tasks.spawn(upkeep());
    let server = Arc::new(Server::new(app));
    for (surface, listener) in listeners {
        tasks.spawn(Arc::clone(&server).accept(surface, listener));
    }
    shutdown.await;
    let (app, stopped) = (&server.app, &server.stopped);
    app.is_stopping.store(true, Ordering::Relaxed);
    tokio::time::sleep(app.http.drain_delay + BACKLOG_TIME).await;
    // Before waiting, so that new clients connect to another instance.
    tasks.shutdown().await;
    stopped.send_replace(true);
    // Each connection has a receiver.
    let finished = tokio::time::timeout(app.http.shutdown_timeout, stopped.closed()).await;
    if finished.is_err() {
        tracing::warn!("the shutdown timeout has expired; requests in progress were aborted");
    }
}

/// State shared by the connections of a thread.
struct Server {
    app: App,
    protocols: Builder<TokioExecutor>,
    keep_alive: HeaderValue,
    /// Whether no more connections are accepted.
    stopped: watch::Sender<bool>,
}

impl Server {
    fn new(app: App) -> Self {
        let timeout = app.http.idle_timeout.as_secs();
        let keep_alive = HeaderValue::try_from(format!("timeout={timeout}"));
        Self {
            protocols: protocols(&app.http),
            keep_alive: keep_alive.expect("letters and digits are a header value"),
            stopped: watch::Sender::new(false),
            app,
        }
    }

    /// Accepts connections. Waits for a permit first: connections beyond the limit wait in the
    /// system's queue. In the other order, they would use file descriptors of this process.
    async fn accept(self: Arc<Self>, surface: Surface, listener: Listener) {
        let limit = self.app.connection_limit(surface);
        loop {
            let permit = Arc::clone(limit).acquire_owned().await;
            let permit = permit.expect("the semaphore is never closed");
            match listener.accept().await {
                Ok((stream, peer)) => {
                    // Before the task runs, shutdown waits for the receiver in `exchange`.
                    let exchange = self.exchange(surface, peer);
                    let held = (permit, OpenConnection::new());
                    tokio::spawn(Arc::clone(&self).connection(stream, exchange, held));
                }
                // Accepting works again when descriptors or memory are free. Without the pause,
                // this loop would spin until then.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn exchange(&self, surface: Surface, address: IpAddr) -> Exchange {
        let http = &self.app.http;
        Exchange {
            routers: self.app.routers(),
            surface,
            max_head_size: http.max_head_size,
            body_timeout: http.body_timeout,
            peer: Peer {
                address,
                trusted_proxies: http.trusted_proxies,
                proxy_header: http.proxy_header,
            },
            activity: Arc::new(Activity::new()),
            keep_alive: self.keep_alive.clone(),
            stopped: self.stopped.subscribe(),
        }
    }

    /// Serves a connection.
    async fn connection(
        self: Arc<Self>,
        stream: Box<dyn Stream>,
        exchange: Exchange,
        // Until the socket is closed: the permit limits connections, not requests.
        _held: (OwnedSemaphorePermit, OpenConnection),
    ) {
        let (protocols, http) = (&self.protocols, &self.app.http);
        if let Err(error) = serve_connection(protocols, http, stream, exchange).await {
            tracing::debug!(%error, "the connection failed");
        }
    }
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
