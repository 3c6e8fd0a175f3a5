//! Reading a request body in search of a token.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::body::{ReadPart, SessionBody, with_bytes};
use super::body_data::BodyData;
use crate::source::{BodyLookup, BodySearch};
use crate::unsearched_body::UnsearchedBody;

/// Empty frames do not count against the limit, so the deadline is checked between them, too.
const FRAMES_PER_POLL: usize = 64;

/// Limits for reading a body in search of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ReadLimits {
    /// Defaults to 64 KiB.
    pub(super) bytes: usize,
    /// Defaults to 10 s.
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
        reading: Option<Reading<B>>,
        #[pin]
        deadline: Sleep,
    }
}

/// A body, and what was read of it so far.
struct Reading<B> {
    rest: B,
    data: BodyData,
    limit: usize,
    search: BodySearch,
}

/// Why no more is read.
enum End<E> {
    Complete,
    Trailers(Frame<Bytes>),
    /// The declared length is above the limit, or this frame exceeds it.
    TooLarge(Option<Frame<Bytes>>),
    Failed(E),
    TimedOut,
}

impl<B> ReadBody<B> {
    /// Starts to read.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime with its timer enabled.
    pub(super) fn new(body: B, search: BodySearch, limits: ReadLimits) -> Self {
        Self {
            reading: Some(Reading {
                rest: body,
                data: BodyData::new(),
                limit: limits.bytes,
                search,
            }),
            deadline: tokio::time::sleep(limits.deadline),
        }
    }

    /// Returns the body without reading it, for layers whose sources have no body.
    pub(super) fn skip(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<(B, BodyLookup)> {
        let reading = self.project().reading.take();
        let reading = reading.expect("polled after completion");
        Poll::Ready((reading.rest, Ok(None)))
    }
}

impl<B: Body + Unpin> Future for ReadBody<B> {
    type Output = (SessionBody<B>, BodyLookup);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reading = this.reading.as_mut().expect("polled after completion");
        let end = match reading.poll_end(cx) {
            Poll::Ready(end) => end,
            Poll::Pending => match this.deadline.poll(cx) {
                Poll::Ready(()) => End::TimedOut,
                Poll::Pending => return Poll::Pending,
            },
        };
        let reading = this.reading.take().expect("it was there");
        Poll::Ready(reading.finish(end))
    }
}

impl<B: Body + Unpin> Reading<B> {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End<B::Error>> {
        if self.over_limit(self.rest.size_hint().lower()) {
            return Poll::Ready(End::TooLarge(None));
        }
        for _ in 0..FRAMES_PER_POLL {
            if self.rest.is_end_stream() {
                return Poll::Ready(End::Complete);
            }
            let frame = match Pin::new(&mut self.rest).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => with_bytes(frame),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(End::Failed(error)),
                Poll::Ready(None) => return Poll::Ready(End::Complete),
                Poll::Pending => return Poll::Pending,
            };
            if let Some(end) = self.accept(frame) {
                return Poll::Ready(end);
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    /// Keeps the data of a frame, or returns why it is the last.
    fn accept(&mut self, frame: Frame<Bytes>) -> Option<End<B::Error>> {
        match frame.into_data() {
            Ok(data) if self.over_limit(data.len() as u64) => {
                Some(End::TooLarge(Some(Frame::data(data))))
            }
            Ok(data) => {
                self.data.push(data);
                None
            }
            Err(frame) => Some(End::Trailers(frame)),
        }
    }

    fn over_limit(&self, more: u64) -> bool {
        more.saturating_add(self.data.len() as u64) > self.limit as u64
    }

    /// Searches what was read, and joins it with the rest.
    fn finish(self, end: End<B::Error>) -> (SessionBody<B>, BodyLookup) {
        let data = self.data.into_bytes();
        let found = match end {
            End::Complete | End::Trailers(_) => self.search.find(&data),
            End::TooLarge(_) => Err(UnsearchedBody::TooLarge.into()),
            End::Failed(_) => Err(UnsearchedBody::ReadFailed.into()),
            End::TimedOut => Err(UnsearchedBody::TimedOut.into()),
        };
        let ended = matches!(end, End::Complete);
        let (last, error) = match end {
            End::Trailers(frame) | End::TooLarge(Some(frame)) => (Some(frame), None),
            End::Failed(error) => (None, Some(error)),
            End::Complete | End::TooLarge(None) | End::TimedOut => (None, None),
        };
        let read = ReadPart {
            data,
            last,
            error,
            ended,
        };
        (SessionBody::replay(read, self.rest), found)
    }
}

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
