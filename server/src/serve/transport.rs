//! The socket of a connection.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};
use tokio_io_timeout::TimeoutStream;

use crate::serve::activity::Activity;
use crate::settings::HttpSettings;

/// The largest rest of a request that is discarded after an early response: the largest payload
/// that a setting allows.
pub(super) const MAX_DISCARDED: usize = 64 << 20;

/// A connected socket of any kind.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

type Timed = TimeoutStream<Box<dyn Stream>>;

/// A connected socket that reports what it receives, limits the time of writes and closes in order.
///
/// A socket that is closed with unread bytes is reset, and the reset can overtake the response. So
/// if a request was not read to its end, shutdown closes the writing half first, then discards what
/// the client still sends.
pub(super) struct Transport {
    stream: Pin<Box<Timed>>,
    activity: Arc<Activity>,
    /// The longest time to discard.
    patience: Duration,
    discarding: Option<Discarding>,
}

struct Discarding {
    end: Pin<Box<Sleep>>,
    left: usize,
}

impl Transport {
    pub(super) fn new(
        stream: Box<dyn Stream>,
        activity: Arc<Activity>,
        http: &HttpSettings,
    ) -> Self {
        // Otherwise a client that stops reading a response would hold its permit forever.
        let mut stream = TimeoutStream::new(stream);
        stream.set_write_timeout(Some(http.write_timeout));
        Self {
            stream: Box::pin(stream),
            activity,
            patience: http.body_timeout,
            discarding: None,
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(self.stream.as_mut().poll_read(cx, buffer))?;
        if buffer.filled().len() > before {
            self.activity.received();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.as_mut().poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.as_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = &mut *self;
        if this.discarding.is_none() {
            ready!(this.stream.as_mut().poll_shutdown(cx))?;
            if !this.activity.has_unread_request() {
                return Poll::Ready(Ok(()));
            }
        }
        let discarding = this.discarding.get_or_insert_with(|| Discarding {
            end: Box::pin(sleep(this.patience)),
            left: MAX_DISCARDED,
        });
        discarding.poll(this.stream.as_mut(), cx).map(Ok)
    }
}

impl Discarding {
    /// Reads until the client has closed its half, or a limit is reached. An error is the end too.
    fn poll(&mut self, mut stream: Pin<&mut Timed>, cx: &mut Context<'_>) -> Poll<()> {
        if self.end.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut bytes = [0; 8192];
        loop {
            let mut buffer = ReadBuf::new(&mut bytes);
            let read = ready!(stream.as_mut().poll_read(cx, &mut buffer));
            let length = buffer.filled().len();
            if read.is_err() || length == 0 || length > self.left {
                return Poll::Ready(());
            }
            self.left -= length;
        }
    }
}
