//! Waits for the first of two futures.
//!
//! Written by hand, because `tokio::select!` needs the procedural macros of tokio, and this crate
//! does not depend on futures-util.

use std::future::poll_fn;
use std::pin::Pin;
use std::task::Poll;

/// Which of two futures was first.
pub(super) enum Either<L, R> {
    Left(L),
    Right(R),
}

/// Waits for the first of two futures. Polls the left one first.
pub(super) async fn race<L: Future, R: Future>(
    mut left: Pin<&mut L>,
    mut right: Pin<&mut R>,
) -> Either<L::Output, R::Output> {
    poll_fn(|context| {
        if let Poll::Ready(output) = left.as_mut().poll(context) {
            return Poll::Ready(Either::Left(output));
        }
        right.as_mut().poll(context).map(Either::Right)
    })
    .await
}
