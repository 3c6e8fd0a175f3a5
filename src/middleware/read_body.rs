//! Reading a request body in search of a token.

use std::mem;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::body::{SessionBody, with_bytes};
use crate::source::{BodyLookup, BodySearch};
use crate::unsearched_body::UnsearchedBody;

/// Empty frames do not count against the limit, so the deadline is checked between them, too.
const FRAMES_PER_POLL: usize = 64;

/// Limits for reading a body in search of a token.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadLimits {
    pub(super) bytes: usize,
    pub(super) deadline: Duration,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            bytes: 64 * 1024,
            deadline: Duration::from_secs(10),
        }
    }
}

pin_project! {
    /// Future that reads a body within limits and searches it for a token.
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct ReadBody<B> {
        // `None` only after the future is done.
        body: Option<B>,
        data: BodyData,
        limit: usize,
        search: BodySearch,
        #[pin]
        deadline: Sleep,
    }
}

/// Why no more is read, and the last frame if it is not part of the data.
type End<E> = (Result<(), UnsearchedBody>, Option<Result<Frame<Bytes>, E>>);

impl<B> ReadBody<B> {
    /// Starts to read.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub(super) fn new(body: B, search: BodySearch, limits: ReadLimits) -> Self {
        Self {
            body: Some(body),
            data: BodyData::default(),
            limit: limits.bytes,
            search,
            deadline: tokio::time::sleep(limits.deadline),
        }
    }
}

impl<B: Body + Unpin> Future for ReadBody<B> {
    type Output = (SessionBody<B>, BodyLookup);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let body = this.body.as_mut().expect("polled after completion");
        let (read, last) = match poll_read(body, this.data, *this.limit, cx) {
            Poll::Ready(end) => end,
            Poll::Pending => {
                ready!(this.deadline.poll(cx));
                (Err(UnsearchedBody::TimedOut), None)
            }
        };
        let data = mem::take(this.data).into_bytes();
        let found = match read {
            Ok(()) => this.search.find(&data),
            Err(reason) => Err(reason.into()),
        };
        let body = SessionBody {
            data,
            ended: read.is_ok() && last.is_none(),
            frames: last.into_iter().collect(),
            rest: this.body.take().expect("it was there"),
        };
        Poll::Ready((body, found))
    }
}

/// Reads the data of a body up to its trailers, its end, or the limit.
fn poll_read<B: Body + Unpin>(
    body: &mut B,
    data: &mut BodyData,
    limit: usize,
    cx: &mut Context<'_>,
) -> Poll<End<B::Error>> {
    // By its declared length a body is known to be too large before any of it is read.
    if body.size_hint().lower().saturating_add(data.len() as u64) > limit as u64 {
        return Poll::Ready((Err(UnsearchedBody::TooLarge), None));
    }
    for _ in 0..FRAMES_PER_POLL {
        if body.is_end_stream() {
            return Poll::Ready((Ok(()), None));
        }
        let frame = match ready!(Pin::new(&mut *body).poll_frame(cx)) {
            Some(Ok(frame)) => with_bytes(frame),
            Some(Err(error)) => {
                return Poll::Ready((Err(UnsearchedBody::ReadFailed), Some(Err(error))));
            }
            None => return Poll::Ready((Ok(()), None)),
        };
        match frame.into_data() {
            Ok(chunk) if data.len() + chunk.len() > limit => {
                let last = Some(Ok(Frame::data(chunk)));
                return Poll::Ready((Err(UnsearchedBody::TooLarge), last));
            }
            Ok(chunk) => data.push(chunk),
            Err(trailers) => return Poll::Ready((Ok(()), Some(Ok(trailers)))),
        }
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

/// Data in one piece, not copied if they came in one chunk.
///
/// A list of chunks would let a client that sends single bytes use a hundred times the limit in
/// memory.
#[derive(Default)]
struct BodyData {
    only: Bytes,
    joined: BytesMut,
}

impl BodyData {
    fn len(&self) -> usize {
        self.only.len() + self.joined.len()
    }

    fn push(&mut self, chunk: Bytes) {
        if self.len() == 0 {
            self.only = chunk;
        } else if !chunk.is_empty() {
            self.joined.extend_from_slice(&mem::take(&mut self.only));
            self.joined.extend_from_slice(&chunk);
        }
    }

    fn into_bytes(self) -> Bytes {
        if self.joined.is_empty() {
            self.only
        } else {
            self.joined.freeze()
        }
    }
}

#[cfg(test)]
mod tests;
