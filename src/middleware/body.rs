//! A request body of which a part was read.

use std::collections::VecDeque;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf, Bytes};
use http::Request;
use http_body::{Body, Frame, SizeHint};
use pin_project_lite::pin_project;

pin_project! {
    /// Body that yields the part of another body that was already read, then the rest of it.
    ///
    /// Data, trailers and errors are those of the other body, in the same order. Chunk boundaries
    /// may differ.
    ///
    /// The argument of [`ReplayBody::replay`](super::ReplayBody::replay). It is also the body type
    /// of services whose original body does not implement that trait, such as hyper's `Incoming`;
    /// see [`SessionBody::wrap`].
    pub struct SessionBody<B: Body> {
        pub(super) frames: VecDeque<Result<Frame<Bytes>, B::Error>>,
        // The body has been read to its end.
        pub(super) ended: bool,
        #[pin]
        pub(super) rest: B,
    }
}

impl<B: Body> SessionBody<B> {
    /// Wraps a body that was not read yet.
    pub const fn new(body: B) -> Self {
        Self {
            frames: VecDeque::new(),
            ended: false,
            rest: body,
        }
    }

    /// Wraps the body of a request, so that it can be searched for a token.
    ///
    /// For tower's `map_request`, outside of the layer:
    ///
    /// ```
    /// # use http::{Request, Response};
    /// # use hyper::body::Incoming;
    /// # use jwt_redis_session::{JwtRedisSession, Sessions};
    /// # use jwt_redis_session::middleware::SessionBody;
    /// # fn doc(sessions: Sessions) {
    /// let service = tower::ServiceBuilder::new()
    ///     .map_request(SessionBody::wrap)
    ///     .layer(JwtRedisSession::new(sessions))
    ///     .service_fn(async |_: Request<SessionBody<Incoming>>| {
    ///         Ok::<_, std::io::Error>(Response::new("hello"))
    ///     });
    /// # fn is_service<S: tower::Service<Request<Incoming>>>(_: S) {}
    /// # is_service(service);
    /// # }
    /// ```
    pub fn wrap(request: Request<B>) -> Request<Self> {
        request.map(Self::new)
    }

    /// Returns the original body if nothing was read of it.
    ///
    /// A body whose end was read is not returned: some streams panic if they are polled again.
    pub(super) fn into_unread(self) -> Result<B, Self> {
        let untouched = self.frames.is_empty() && !self.ended;
        if untouched { Ok(self.rest) } else { Err(self) }
    }

    fn replayed_len(&self) -> u64 {
        let data = self.frames.iter().flatten().filter_map(Frame::data_ref);
        data.map(|data| data.len() as u64).sum()
    }
}

impl<B: Body> SessionBody<SessionBody<B>> {
    /// Makes one body around the innermost one.
    pub(super) fn flatten(mut self) -> SessionBody<B> {
        self.frames.extend(self.rest.frames);
        SessionBody {
            frames: self.frames,
            ended: self.ended || self.rest.ended,
            rest: self.rest.rest,
        }
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
        if let Some(frame) = this.frames.pop_front() {
            return Poll::Ready(Some(frame));
        }
        if *this.ended {
            return Poll::Ready(None);
        }
        let frame = ready!(this.rest.poll_frame(cx));
        Poll::Ready(frame.map(|frame| frame.map(with_bytes)))
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && (self.ended || self.rest.is_end_stream())
    }

    fn size_hint(&self) -> SizeHint {
        let replayed = self.replayed_len();
        let mut hint = match self.ended {
            true => SizeHint::with_exact(0),
            false => self.rest.size_hint(),
        };
        if let Some(upper) = hint.upper() {
            hint.set_upper(upper.saturating_add(replayed));
        }
        hint.set_lower(hint.lower().saturating_add(replayed));
        hint
    }
}

/// Puts the data of a frame into one piece; data that are [`Bytes`] already are not copied.
pub(super) fn with_bytes<D: Buf>(frame: Frame<D>) -> Frame<Bytes> {
    frame.map_data(|mut data| data.copy_to_bytes(data.remaining()))
}

impl<B: Body> fmt::Debug for SessionBody<B> {
    /// Prints how much is replayed, not the data: they may contain a token.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionBody")
            .field("replayed", &self.replayed_len())
            .finish_non_exhaustive()
    }
}
