//! The body that inner services see.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// The request body that inner services see: the one that came in, byte for byte.
    ///
    /// If a token was looked for in it, what was read for that comes first and then whatever is
    /// left, trailers and errors included. Where one chunk ends and the next begins may differ.
    pub struct SessionBody<B: Body> {
        read: VecDeque<Frame<Bytes>>,
        error: Option<B::Error>,
        ended: bool,
        #[pin]
        rest: B,
    }
}

impl<B: Body> SessionBody<B> {
    /// A body of which nothing was read.
    pub(crate) const fn untouched(body: B) -> Self {
        Self {
            read: VecDeque::new(),
            error: None,
            ended: false,
            rest: body,
        }
    }

    /// The frames that were read, then the error that was met, then the rest.
    ///
    /// `ended` says that there is no rest.
    pub(super) const fn replay(
        read: VecDeque<Frame<Bytes>>,
        error: Option<B::Error>,
        ended: bool,
        rest: B,
    ) -> Self {
        Self {
            read,
            error,
            ended,
            rest,
        }
    }

    fn read_len(&self) -> u64 {
        let data = self.read.iter().filter_map(Frame::data_ref);
        data.map(|data| data.len() as u64).sum()
    }
}

impl<B: Body> Body for SessionBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.project();
        if let Some(frame) = this.read.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        if let Some(error) = this.error.take() {
            return Poll::Ready(Some(Err(error)));
        }
        if *this.ended {
            return Poll::Ready(None);
        }
        let frame = ready!(this.rest.poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map(in_bytes)))
    }

    fn is_end_stream(&self) -> bool {
        let replayed = self.read.is_empty() && self.error.is_none();
        replayed && (self.ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let read = self.read_len();
        if self.ended {
            return SizeHint::with_exact(read);
        }
        let rest = self.rest.size_hint();
        let mut hint = SizeHint::new();
        hint.set_lower(rest.lower().saturating_add(read));
        if let Some(upper) = rest.upper() {
            hint.set_upper(upper.saturating_add(read));
        }
        hint
    }
}

/// The frame with its data in one piece; data that are [`Bytes`] already are not copied.
pub(super) fn in_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

impl<B: Body> From<B> for SessionBody<B> {
    fn from(body: B) -> Self {
        Self::untouched(body)
    }
}

impl<B: Body + Default> Default for SessionBody<B> {
    fn default() -> Self {
        Self::untouched(B::default())
    }
}

impl<B: Body> fmt::Debug for SessionBody<B> {
    /// Tells how much is replayed, and nothing of what it is: it may hold a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBody")
            .field("replayed", &self.read_len())
            .finish_non_exhaustive()
    }
}
