//! Repeats writes that conflict.
//!
//! The library gives up after 16 attempts, which is too few for fifty clients that write to one
//! session concurrently.

use std::future::Future;

use http::StatusCode;

use crate::error::ApiError;

/// The largest number of calls. An attempt fails only if a concurrent write succeeded, so a call
/// that fails 64 times has lost to about a thousand other writes.
const CALLS: usize = 64;

/// Calls `write` until it does not fail with 409.
/// Errors: that of the last call.
pub(crate) async fn retry_conflicts<F>(mut write: impl FnMut() -> F) -> Result<(), ApiError>
where
    F: Future<Output = Result<(), ApiError>>,
{
    for _ in 1..CALLS {
        match write().await {
            Err(error) if error.status() == StatusCode::CONFLICT => {}
            done => return done,
        }
    }
    write().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn conflicts_are_retried_up_to_a_limit() {
        let mut calls = 0;
        let conflict = || ApiError::new(StatusCode::CONFLICT, "");
        let lost = retry_conflicts(|| {
            calls += 1;
            std::future::ready(Err(conflict()))
        });
        assert_eq!(lost.await.unwrap_err().status(), 409);
        assert_eq!(calls, CALLS);

        let mut results = [Err(conflict()), Ok(())].into_iter();
        let won = retry_conflicts(|| std::future::ready(results.next().unwrap()));
        assert!(won.await.is_ok());
        let failed = retry_conflicts(|| std::future::ready(Err(ApiError::bad_request(""))));
        assert_eq!(failed.await.unwrap_err().status(), 400);
    }
}
