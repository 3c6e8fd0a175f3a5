//! Reading a request body in search of a token.

use std::future::poll_fn;
use std::mem;
use std::pin::{Pin, pin};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::body::{SessionBody, with_bytes};
use super::gathered::Gathered;
use super::replay_body::ReplayBody;
use crate::source::{BodyLookup, BodySearch};
use crate::unsearched_body::UnsearchedBody;

/// Empty frames do not count against the limit, so the deadline is checked between them, too.
const FRAMES_PER_POLL: usize = 64;

/// Limits for reading a body.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ReadLimits {
    pub(crate) bytes: usize,
    pub(crate) deadline: Duration,
}

pin_project! {
    /// Future that reads a body within limits, searches it for a token, and restores it.
    #[must_use = "futures do nothing unless polled"]
    pub(super) struct ReadBody<B> {
        // `None` only after the future is done.
        body: Option<B>,
        data: Gathered,
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
            data: Gathered::default(),
            limit: limits.bytes,
            search,
            deadline: tokio::time::sleep(limits.deadline),
        }
    }
}

impl<B: ReplayBody> Future for ReadBody<B> {
    type Output = (B, BodyLookup<'static>);

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
        let found = read.and_then(|()| this.search.find(&data));
        let data = (!data.is_empty()).then(|| Ok(Frame::data(data)));
        let body = SessionBody {
            ended: read.is_ok() && last.is_none(),
            frames: data.into_iter().chain(last).collect(),
            rest: this.body.take().expect("it was there"),
        };
        let body = body.into_unread().unwrap_or_else(B::replay);
        Poll::Ready((body, found))
    }
}

/// Reads a whole body within limits.
///
/// # Panics
///
/// Outside of a tokio runtime with its timer enabled.
pub(crate) async fn read_all<B: Body>(
    body: B,
    limits: ReadLimits,
) -> Result<Bytes, UnsearchedBody> {
    let (mut body, mut data) = (pin!(body), Gathered::default());
    let reading = poll_fn(|cx| {
        let end = ready!(poll_read(&mut body, &mut data, limits.bytes, cx));
        Poll::Ready(end.0)
    });
    let read = tokio::time::timeout(limits.deadline, reading).await;
    read.unwrap_or(Err(UnsearchedBody::TimedOut))?;
    Ok(data.into_bytes())
}

/// Reads the data of a body up to its trailers, its end, or the limit.
fn poll_read<B: Body + Unpin>(
    body: &mut B,
    data: &mut Gathered,
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
        let frame = ready!(Pin::new(&mut *body).poll_frame(cx));
        let end = match frame.map(|frame| frame.map(|frame| with_bytes(frame).into_data())) {
            None => (Ok(()), None),
            Some(Err(error)) => (Err(UnsearchedBody::ReadFailed), Some(Err(error))),
            Some(Ok(Err(trailers))) => (Ok(()), Some(Ok(trailers))),
            Some(Ok(Ok(chunk))) if data.len() + chunk.len() > limit => {
                let last = Some(Ok(Frame::data(chunk)));
                (Err(UnsearchedBody::TooLarge), last)
            }
            Some(Ok(Ok(chunk))) => {
                data.push(chunk);
                continue;
            }
        };
        return Poll::Ready(end);
    }
    cx.waker().wake_by_ref();
    Poll::Pending
}

#[cfg(test)]
mod tests;
