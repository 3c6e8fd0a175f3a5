//! Reading a body in which a token may stand.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Body, Frame};
use pin_project_lite::pin_project;
use tokio::time::Sleep;

use super::body::{SessionBody, in_bytes};
use super::data::Data;
use crate::source::{BodySearch, Outcome};
use crate::token_rejection::TokenRejection;

/// Empty frames do not count against the limit, so they must not keep the deadline from being
/// looked at.
const FRAMES_PER_POLL: usize = 64;

/// How much of a body, and for how long, is read in search of a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ReadLimits {
    /// Defaults to 64 KiB.
    pub(crate) bytes: usize,
    /// Defaults to 10 s.
    pub(crate) deadline: Duration,
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
    /// The future that reads a body within limits, looks for the token in it, and gives back the
    /// body as it was together with what was found.
    #[must_use = "futures do nothing unless polled"]
    pub(crate) struct ReadBody<B: Body> {
        // `None` only after the future is done.
        reading: Option<Reading<B>>,
        #[pin]
        deadline: Sleep,
    }
}

impl<B: Body + Unpin> ReadBody<B> {
    /// # Panics
    ///
    /// If called outside of a tokio runtime with its timer enabled.
    pub(crate) fn new(body: B, search: BodySearch, limits: ReadLimits) -> Self {
        Self {
            reading: Some(Reading::new(body, search, limits.bytes)),
            deadline: tokio::time::sleep(limits.deadline),
        }
    }
}

impl<B: Body + Unpin> Future for ReadBody<B> {
    type Output = (SessionBody<B>, Outcome);

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let reading = this.reading.as_mut().expect("polled after completion");
        let end = match reading.poll_end(cx) {
            Poll::Ready(end) => end,
            Poll::Pending => match this.deadline.poll(cx) {
                Poll::Ready(()) => End::Late,
                Poll::Pending => return Poll::Pending,
            },
        };
        let reading = this.reading.take().expect("it was there");
        Poll::Ready(reading.finish(end))
    }
}

impl<B: Body> fmt::Debug for ReadBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBody").finish_non_exhaustive()
    }
}

/// A body, and what was read of it so far.
struct Reading<B: Body> {
    rest: B,
    data: Data,
    limit: usize,
    search: BodySearch,
}

/// Why no more is read.
enum End<E> {
    Complete,
    Trailers(Frame<Bytes>),
    /// The declared length is above the limit, or this frame leads past it.
    TooLarge(Option<Frame<Bytes>>),
    Broken(E),
    Late,
}

impl<B: Body + Unpin> Reading<B> {
    const fn new(body: B, search: BodySearch, limit: usize) -> Self {
        Self {
            rest: body,
            data: Data::new(),
            limit,
            search,
        }
    }

    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<End<B::Error>> {
        if self.over_limit(self.rest.size_hint().lower()) {
            return Poll::Ready(End::TooLarge(None));
        }
        for _ in 0..FRAMES_PER_POLL {
            if self.rest.is_end_stream() {
                return Poll::Ready(End::Complete);
            }
            let frame = match Pin::new(&mut self.rest).poll_frame(cx) {
                Poll::Ready(Some(Ok(frame))) => in_bytes(frame),
                Poll::Ready(Some(Err(error))) => return Poll::Ready(End::Broken(error)),
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

    /// Takes a frame in, or says why it is the last.
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

    fn finish(self, end: End<B::Error>) -> (SessionBody<B>, Outcome) {
        let data = self.data.into_bytes();
        let outcome = match end {
            End::Complete | End::Trailers(_) => self.search.find(&data),
            End::TooLarge(_) => Err(TokenRejection::BodyTooLarge),
            End::Broken(_) => Err(TokenRejection::BodyMalformed),
            End::Late => Err(TokenRejection::BodyTimeout),
        };
        let mut read = VecDeque::new();
        if !data.is_empty() {
            read.push_back(Frame::data(data));
        }
        let ended = matches!(end, End::Complete);
        let error = match end {
            End::Trailers(frame) | End::TooLarge(Some(frame)) => {
                read.push_back(frame);
                None
            }
            End::Broken(error) => Some(error),
            End::Complete | End::TooLarge(None) | End::Late => None,
        };
        (SessionBody::replay(read, error, ended, self.rest), outcome)
    }
}

#[cfg(test)]
mod script;
#[cfg(test)]
mod tests;
