//! What operators see: events through `tracing`, numbers through `metrics`.
//!
//! Events and numbers carry reasons and kinds, never a token, an id, an owner or data.
//! `FORMAT.md` is for formats; the README lists the names below.

use std::future::Future;

use crate::store::StoreError;
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Counts one with the feature `metrics`, and is nothing without it.
macro_rules! count {
    ($name:literal $(, $label:literal => $value:expr)*) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name $(, $label => $value)*).increment(1);
    };
}

/// A session was looked up and found.
pub(crate) fn hit() {
    count!("jwt_redis_session_loads_total");
    count!("jwt_redis_session_hits_total");
}

/// A session was looked up, and the record gave none.
pub(crate) fn miss() {
    count!("jwt_redis_session_loads_total");
}

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

/// An operation found its session gone.
pub(crate) fn gone(operation: &'static str) {
    count!("jwt_redis_session_gone_total", "operation" => operation);
    tracing::debug!(operation, "session gone");
}

/// A write gave up after losing race upon race.
pub(crate) fn conflict(operation: &'static str) {
    count!("jwt_redis_session_conflicts_total", "operation" => operation);
    tracing::warn!(
        operation,
        "session changed by others at the same time, given up"
    );
}

/// Every attempt of an operation met a `destroy_all` of the owner.
pub(crate) fn revoked(operation: &'static str) {
    count!("jwt_redis_session_revoked_total", "operation" => operation);
    tracing::warn!(operation, "all sessions of the owner destroyed, given up");
}

/// An operation found a record that is not a session's.
pub(crate) fn corrupt(operation: &'static str) {
    tracing::warn!(operation, "session record is corrupt");
}

/// Changes of a handle were never stored: `fields` and possibly the owner.
pub(crate) fn dropped(fields: usize, owner: bool) {
    tracing::warn!(
        fields,
        owner,
        "session changed but not stored: call `create` or `update` before the handle is dropped"
    );
}

/// Runs one call of the store, records how long it takes, and counts it if it fails.
///
/// `operation` is the operation on a session that the call is part of.
pub(crate) async fn store_call<T>(
    operation: &'static str,
    call: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    #[cfg(feature = "metrics")]
    let start = std::time::Instant::now();
    let result = call.await;
    #[cfg(feature = "metrics")]
    metrics::histogram!("jwt_redis_session_store_seconds", "operation" => operation)
        .record(start.elapsed().as_secs_f64());
    if let Err(error) = &result {
        let kind = error.kind().as_str();
        count!("jwt_redis_session_store_errors_total", "kind" => kind);
        tracing::debug!(kind, operation, %error, "session store failed");
    }
    result
}
