//! What goes over the stream of a connection.
//!
//! redis-rs reports a closed connection with the same error whether a command was written or not,
//! and a timeout whether bytes are arriving or not. Both matter here: a command that was never
//! written can be sent over another connection, and a connection on which bytes arrive is not
//! dead. So the stream is watched below redis-rs.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Instant;

use super::batching::Batching;

/// Counters of the bytes on a stream.
pub(super) struct Traffic {
    created: Instant,
    /// Milliseconds from `created` until bytes last arrived.
    last_arrival: AtomicU64,
    /// The number of attempts to write to the stream.
    writes: AtomicU64,
}

impl Traffic {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            created: Instant::now(),
            last_arrival: AtomicU64::new(0),
            writes: AtomicU64::new(0),
        })
    }

    pub(super) fn age(&self) -> Duration {
        self.created.elapsed()
    }

    /// Returns when bytes last arrived, to the millisecond, or when the connection was made.
    pub(super) fn last_arrival(&self) -> Instant {
        self.created + Duration::from_millis(self.last_arrival.load(Ordering::Relaxed))
    }

    pub(super) fn record_arrival(&self) {
        let now = u64::try_from(self.created.elapsed().as_millis()).unwrap_or(u64::MAX);
        // Written only when it changes: all calls of a pooled connection share this cache line.
        if self.last_arrival.load(Ordering::Relaxed) != now {
            self.last_arrival.store(now, Ordering::Relaxed);
        }
    }

    /// Returns the number of attempts to write so far. If a call fails and the number has not
    /// changed since before the call, nothing of the call was written.
    pub(super) fn writes(&self) -> u64 {
        // With the release of the writer: a call that failed sees every write of its command.
        // Writes of other calls are counted too, which only makes the answer more careful.
        self.writes.load(Ordering::Acquire)
    }
}

/// A stream that records its traffic and batches its writes.
pub(super) struct Watched<S> {
    stream: S,
    traffic: Arc<Traffic>,
    batching: Batching,
}

impl<S> Watched<S> {
    pub(super) fn new(stream: S, traffic: Arc<Traffic>) -> Self {
        Self {
            stream,
            traffic,
            batching: Batching::default(),
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.stream).poll_read(cx, buf);
        if buf.filled().len() > before {
            self.batching.record_arrival();
            self.traffic.record_arrival();
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        // Counted before the attempt: a failed attempt may still have written bytes, and one that
        // waits here may be written after its caller has given up.
        self.traffic.writes.fetch_add(1, Ordering::Release);
        let Self {
            stream, batching, ..
        } = &mut *self;
        batching.poll_write(cx, |cx| Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
