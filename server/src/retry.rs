//! Retries writes that conflict with concurrent ones.

use std::future::Future;

use http::StatusCode;

use crate::error::ApiError;

/// The largest number of calls, each of which is 16 attempts of the library.
///
/// An attempt fails only if a concurrent write succeeded, so about a thousand concurrent writes
/// exhaust them. Without retries, 50 concurrent writes already fail.
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
    async fn only_conflicts_are_retried_up_to_a_limit() {
        for (conflicts, status, expected_calls) in [
            (usize::MAX, Some(409), CALLS),
            (1, None, 2),
            (0, Some(400), 1),
        ] {
            let mut calls = 0;
            let write = || {
                calls += 1;
                let conflict = (calls <= conflicts).then_some(409);
                let status = conflict.or(status).map(StatusCode::from_u16);
                let error = status.map(|status| ApiError::new(status.unwrap(), ""));
                std::future::ready(error.map_or(Ok(()), Err))
            };
            let result = retry_conflicts(write).await;
            let found = result.err().map(|error| error.status().as_u16());
            assert_eq!((found, calls), (status, expected_calls));
        }
    }
}
