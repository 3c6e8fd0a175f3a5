//! Tasks that outlive their caller.

use std::future::Future;

use tracing::Instrument as _;

use crate::error::{Result, SessionError};

/// Runs an operation of several steps to completion, even if the caller is dropped.
pub(crate) async fn run_to_completion<T, F>(operation: impl FnOnce() -> F) -> Result<T>
where
    T: Send + 'static,
    F: Future<Output = Result<T>> + Send + 'static,
{
    // Made here: as an argument, the future would take its space in that of the caller as well.
    match tokio::spawn(operation().in_current_span()).await {
        Ok(result) => result,
        // A panic in a caller's code, such as an id generator, unwinds as if there were no task.
        Err(stopped) => match stopped.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => Err(SessionError::Interrupted),
        },
    }
}

/// Starts work that the caller does not wait for, such as pruning an index. Errors are only logged.
pub(crate) fn spawn_detached(work: impl Future<Output = Result<()>> + Send + 'static) {
    tokio::spawn(
        async move {
            if let Err(error) = work.await {
                tracing::debug!(%error, "background work on sessions failed");
            }
        }
        .in_current_span(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::FutureExt as _;
    use tokio::runtime::Builder;

    #[test]
    fn an_operation_stopped_by_a_shutdown_is_interrupted() {
        let runtime = || Builder::new_current_thread().build().unwrap();
        let mut operation = Box::pin(run_to_completion(std::future::pending::<Result<()>>));
        let stopped = runtime();
        let guard = stopped.enter();
        assert!(operation.as_mut().now_or_never().is_none());
        drop(guard);
        drop(stopped);
        let result = runtime().block_on(operation);
        assert_eq!(result, Err(SessionError::Interrupted));
    }
}
