//! Serves one connection.

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use axum::BoxError;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::serve::activity::Activity;
use crate::serve::exchange::Exchange;
use crate::serve::transport::{Stream, Transport};
use crate::settings::HttpSettings;

/// The largest number of concurrent requests on an HTTP/2 connection.
const MAX_STREAMS: u32 = 100;

/// The least read buffer of a connection, which also holds parts of bodies. hyper answers 431 if a
/// head does not fit into it.
const MIN_BUFFER: usize = 64 << 10;

/// The protocols of a connection: HTTP/1.1, or HTTP/2 with prior knowledge (RFC 9113 section 3.3).
/// Their timers are disabled in favor of [`Timer`].
pub(super) fn protocols(http: &HttpSettings) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .header_read_timeout(None)
        .max_buf_size(http.max_head_size.max(MIN_BUFFER));
    builder
        .http2()
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(http.max_head_size).unwrap_or(u32::MAX));
    builder
}

/// Serves a connection until the client closes it, a limit of time is reached, or the requests
/// in progress at shutdown are finished.
pub(super) async fn serve_connection(
    protocols: &Builder<TokioExecutor>,
    http: &HttpSettings,
    stream: Box<dyn Stream>,
    exchange: Exchange,
) -> Result<(), BoxError> {
    let activity = Arc::clone(&exchange.activity);
    let mut stopped = exchange.stopped.clone();
    let io = TokioIo::new(Transport::new(stream, Arc::clone(&activity), http));
    let exchange = Arc::new(exchange);
    let service = service_fn(move |request| Arc::clone(&exchange).respond(request));
    let mut connection = pin!(protocols.serve_connection(io, service));
    // An error means that the sender is gone, which is a shutdown too.
    let mut stopped = pin!(async move { drop(stopped.wait_for(|stopped| *stopped).await) });
    let mut has_stopped = false;
    let mut timer = Timer::new(http, activity);
    poll_fn(|cx| {
        loop {
            // First, so that what has arrived already counts.
            if let Poll::Ready(result) = connection.as_mut().poll(cx) {
                return Poll::Ready(result);
            }
            if !has_stopped && stopped.as_mut().poll(cx).is_ready() {
                has_stopped = true;
                connection.as_mut().graceful_shutdown();
                continue;
            }
            match ready!(timer.poll(cx)) {
                // An HTTP/2 client learns which requests were not processed.
                Expired::Idle => connection.as_mut().graceful_shutdown(),
                Expired::Late => return Poll::Ready(Err("timeout".into())),
            }
        }
    })
    .await
}

/// The limits of time of a connection, in one timer.
///
/// It is armed again only if it fires or a deadline is earlier, so not for each request.
struct Timer<'a> {
    http: &'a HttpSettings,
    activity: Arc<Activity>,
    sleep: Pin<Box<Sleep>>,
    /// When a connection that was closed because it was idle must have ended.
    end: Option<Instant>,
}

enum Expired {
    /// No request came for too long.
    Idle,
    /// The client is too slow.
    Late,
}

impl<'a> Timer<'a> {
    fn new(http: &'a HttpSettings, activity: Arc<Activity>) -> Self {
        Self {
            http,
            activity,
            sleep: Box::pin(sleep_until(Instant::now() + http.header_timeout)),
            end: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Expired> {
        loop {
            let deadline = self.end.or_else(|| self.activity.deadline(self.http));
            let Some(deadline) = deadline else {
                return Poll::Pending;
            };
            if deadline < self.sleep.deadline() {
                self.sleep.as_mut().reset(deadline);
            }
            ready!(self.sleep.as_mut().poll(cx));
            let now = Instant::now();
            if deadline > now {
                self.sleep.as_mut().reset(deadline);
            } else if self.end.is_none() && self.activity.is_idle() {
                self.end = Some(now + self.http.write_timeout);
                return Poll::Ready(Expired::Idle);
            } else {
                return Poll::Ready(Expired::Late);
            }
        }
    }
}
