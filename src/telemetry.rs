//! Events through `tracing` and numbers through `metrics`.
//!
//! They carry reasons and kinds, never a token, an id, an owner or data. The guide `operating`
//! lists the names.

use std::future::Future;

#[cfg(feature = "metrics")]
use crate::counters;
use crate::counters::{READ, ReadMetrics, count};
use crate::error::SessionError;
use crate::store::StoreError;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// A presented token gave no session.
pub(crate) fn rejected(reason: TokenRejection) {
    count!("jwt_redis_session_rejections_total", "reason" => reason.as_str());
    tracing::debug!(reason = reason.as_str(), "token rejected");
    if reason == TokenRejection::Corrupt {
        corrupt("load");
    }
}

/// A request body was not searched for a token.
pub(crate) fn unsearched_body(reason: UnsearchedBody) {
    count!("jwt_redis_session_unsearched_bodies_total", "reason" => reason.as_str());
    tracing::debug!(
        reason = reason.as_str(),
        "request body not searched for a token"
    );
}

/// An operation on a handle failed.
pub(crate) fn failed(operation: &'static str, error: &SessionError) {
    match error {
        SessionError::Gone => {
            count!("jwt_redis_session_gone_total", "operation" => operation);
            tracing::debug!(operation, "session gone");
        }
        SessionError::Corrupt => corrupt(operation),
        SessionError::Conflict => {
            count!("jwt_redis_session_conflicts_total", "operation" => operation);
            tracing::warn!(
                operation,
                "gave up after too many concurrent changes to the session"
            );
        }
        SessionError::Revoked => {
            count!("jwt_redis_session_revoked_total", "operation" => operation);
            tracing::warn!(
                operation,
                "gave up because all sessions of the owner were destroyed"
            );
        }
        _ => {}
    }
}

fn corrupt(operation: &'static str) {
    tracing::warn!(operation, "session record is corrupt");
}

/// Changes of a handle were never stored: `fields`, and possibly the owner and the lifetime.
pub(crate) fn dropped(fields: usize, owner: bool, lifetime: bool) {
    tracing::warn!(
        fields,
        owner,
        lifetime,
        "session changed but not stored; call `create` or `update` before the handle is dropped"
    );
}

/// Call of the store, as a part of an operation on a session.
pub(crate) trait StoreCall<T>:
    Future<Output = Result<T, StoreError>> + Send + Sized
{
    /// Records how long the call takes, and counts it if it fails.
    async fn in_operation(self, operation: &'static str) -> Result<T, StoreError> {
        self.recorded(operation, None).await
    }

    /// As [`in_operation`](Self::in_operation), for a read.
    async fn in_read(self, reads: &ReadMetrics) -> Result<T, StoreError> {
        self.recorded(READ, Some(reads)).await
    }

    /// Records a call with the metrics of reads, if there are some.
    #[cfg_attr(not(feature = "metrics"), allow(unused_variables))]
    async fn recorded(
        self,
        operation: &'static str,
        reads: Option<&ReadMetrics>,
    ) -> Result<T, StoreError> {
        #[cfg(feature = "metrics")]
        let start = std::time::Instant::now();
        let result = self.await;
        #[cfg(feature = "metrics")]
        match reads {
            Some(reads) => reads.took(start.elapsed()),
            None => counters::store_call(operation, start.elapsed()),
        }
        if let Err(error) = &result {
            let kind = error.kind().as_str();
            count!("jwt_redis_session_store_errors_total", "kind" => kind);
            tracing::debug!(kind, operation, %error, "session store failed");
        }
        result
    }
}

impl<T, F: Future<Output = Result<T, StoreError>> + Send> StoreCall<T> for F {}
