//! The body of a request.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::BoxError;
use axum::body::HttpBody;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use hyper::body::{Frame, Incoming, SizeHint};

use crate::serve::transport::MAX_DISCARDED;

/// The largest rest of a body that is read before an early response, so that the connection can be
/// used again.
const MAX_REST: usize = 64 << 10;

/// The longest time to read that rest. It delays an early response.
const REST_TIMEOUT: Duration = Duration::from_millis(200);

/// The body of a request, of which this module keeps what the handler does not read.
#[derive(Clone)]
pub(super) struct RequestBody(Arc<Mutex<State>>);

struct State {
    /// `None` after the response.
    incoming: Option<Incoming>,
    has_begun: bool,
    has_ended: bool,
    /// Whether it ended with an error. Where the next request begins is then unknown.
    is_broken: bool,
}

impl RequestBody {
    pub(super) fn new(incoming: Incoming) -> Self {
        Self(Arc::new(Mutex::new(State {
            incoming: Some(incoming),
            has_begun: false,
            has_ended: false,
            is_broken: false,
        })))
    }

    /// Reads the rest of the body in a task. Over HTTP/2 the response would otherwise be followed by
    /// a reset, on which some clients drop the response.
    pub(super) fn discard(&self, timeout: Duration) {
        if let Some(incoming) = self.take_unread() {
            let rest = discard(incoming, MAX_DISCARDED);
            tokio::spawn(tokio::time::timeout(timeout, rest));
        }
    }

    /// Reads the rest of the body, if it is short. Returns whether that was all.
    pub(super) async fn finish(&self, awaits_continue: bool) -> bool {
        // Reading would send `100 Continue`, which requests a body that is not needed.
        let must_not_read = awaits_continue && !self.lock().has_begun;
        let Some(incoming) = self.take_unread() else {
            return !self.lock().is_broken;
        };
        if must_not_read || incoming.size_hint().lower() > MAX_REST as u64 {
            return false;
        }
        let rest = tokio::time::timeout(REST_TIMEOUT, discard(incoming, MAX_REST));
        rest.await.unwrap_or(false)
    }

    fn take_unread(&self) -> Option<Incoming> {
        let mut state = self.lock();
        let has_ended = state.has_ended;
        state.incoming.take().filter(|_| !has_ended)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns whether the body has ended within the limit and without an error.
async fn discard(mut body: Incoming, mut left: usize) -> bool {
    while let Some(frame) = body.frame().await {
        let length = frame.map(|frame| frame.data_ref().map_or(0, Bytes::len));
        match length.ok().and_then(|length| left.checked_sub(length)) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

impl HttpBody for RequestBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        let mut state = self.lock();
        state.has_begun = true;
        let Some(incoming) = state.incoming.as_mut() else {
            return Poll::Ready(Some(Err("the request has been answered".into())));
        };
        let frame = ready!(Pin::new(incoming).poll_frame(cx));
        state.has_ended |= !matches!(frame, Some(Ok(_)));
        state.is_broken |= matches!(frame, Some(Err(_)));
        Poll::Ready(frame.map(|frame| frame.map_err(Into::into)))
    }

    fn is_end_stream(&self) -> bool {
        let state = self.lock();
        state.incoming.as_ref().is_some_and(HttpBody::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let state = self.lock();
        let hint = state.incoming.as_ref().map(HttpBody::size_hint);
        hint.unwrap_or_default()
    }
}
