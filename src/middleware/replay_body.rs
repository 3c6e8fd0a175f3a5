//! Request bodies that can be searched for a token.

use bytes::{Buf, Bytes};
use http_body::{Body, Frame};
use http_body_util::combinators::{BoxBody, UnsyncBoxBody};
use http_body_util::{Empty, Full};

use super::body::SessionBody;

/// Request body that can be restored after a part of it was read.
///
/// Needed only if the layer may look for a token in the body. Implemented for axum's `Body`, and
/// for the boxed, full and empty bodies of `http_body_util`. A type that can box any body
/// implements it in one line:
///
/// ```
/// # use std::pin::Pin;
/// # use std::task::{Context, Poll};
/// # use bytes::Bytes;
/// # use http_body::{Body, Frame};
/// # use http_body_util::{BodyExt, combinators::UnsyncBoxBody};
/// use jwt_redis_session::middleware::{ReplayBody, SessionBody};
///
/// struct MyBody(UnsyncBoxBody<Bytes, std::io::Error>);
/// # impl Body for MyBody {
/// #     type Data = Bytes;
/// #     type Error = std::io::Error;
/// #     fn poll_frame(
/// #         mut self: Pin<&mut Self>,
/// #         cx: &mut Context<'_>,
/// #     ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
/// #         Pin::new(&mut self.0).poll_frame(cx)
/// #     }
/// # }
///
/// impl ReplayBody for MyBody {
///     fn replay(read: SessionBody<Self>) -> Self {
///         Self(read.boxed_unsync())
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a session token cannot be looked for in a request body of type `{Self}`",
    label = "`{Self}` cannot be restored for the inner service after it was read",
    note = "if no token is in a body, use `JwtRedisSession::new(sessions).without_body()`, which takes every type of body",
    note = "or wrap the body outside of the layer: `ServiceBuilder::new().map_request(SessionBody::wrap).layer(JwtRedisSession::new(sessions))`",
    note = "in axum, turn it into an `axum::body::Body` outside of the layer: `.layer(MapRequestBodyLayer::new(axum::body::Body::new))`"
)]
pub trait ReplayBody: Body + Sized + Unpin {
    /// Restores the body. `read` yields everything that the original body would have.
    ///
    /// Not called for a body of which nothing was read.
    fn replay(read: SessionBody<Self>) -> Self;
}

impl<B: Body + Unpin> ReplayBody for SessionBody<B> {
    fn replay(read: SessionBody<Self>) -> Self {
        read.flatten()
    }
}

impl<E: Send + Sync + 'static> ReplayBody for BoxBody<Bytes, E> {
    fn replay(read: SessionBody<Self>) -> Self {
        Self::new(read)
    }
}

impl<E: Send + 'static> ReplayBody for UnsyncBoxBody<Bytes, E> {
    fn replay(read: SessionBody<Self>) -> Self {
        Self::new(read)
    }
}

impl ReplayBody for Full<Bytes> {
    fn replay(read: SessionBody<Self>) -> Self {
        // It is one frame of known length, so it is read as a whole or not at all.
        let mut data = read.frames.into_iter().flatten().map(Frame::into_data);
        Self::new(data.find_map(Result::ok).unwrap_or_default())
    }
}

impl<D: Buf> ReplayBody for Empty<D> {
    fn replay(_: SessionBody<Self>) -> Self {
        Self::new()
    }
}
