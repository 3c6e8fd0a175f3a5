//! Repeats writes that lose every race.
//!
//! The library gives up after 16 attempts. Fifty clients that write one session at the same time
//! lose more often than that: without this module, the test
//! `fifty_updates_of_different_fields_at_once_all_survive` fails with 409.

use std::future::Future;

use http::StatusCode;

use crate::error::ApiError;

/// The largest number of calls. An attempt fails only if a concurrent write succeeded, so a write
/// that fails in all calls has lost to about a thousand others.
const CALLS: usize = 64;

/// Calls `write` until it does not fail with 409.
///
/// # Errors
///
/// That of the last call.
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
        let refused = retry_conflicts(|| std::future::ready(Err(ApiError::bad_request(""))));
        assert_eq!(refused.await.unwrap_err().status(), 400);
    }
}
