//! Numbers through the `metrics` facade, and nothing without the feature. The README lists the
//! names.

#[cfg(feature = "metrics")]
use std::time::Duration;

/// Adds to a counter: one, or what stands behind the semicolon.
macro_rules! count {
    ($name:literal; $by:expr) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name).increment($by);
        #[cfg(not(feature = "metrics"))]
        let _: u64 = $by;
    };
    ($name:literal $(, $label:literal => $value:expr)*) => {
        #[cfg(feature = "metrics")]
        metrics::counter!($name $(, $label => $value)*).increment(1);
    };
}

pub(crate) use count;

/// Records how long a call of the store took.
#[cfg(feature = "metrics")]
pub(crate) fn store_call(operation: &'static str, took: Duration) {
    metrics::histogram!("jwt_redis_session_store_seconds", "operation" => operation)
        .record(took.as_secs_f64());
}

/// A read was served by the local cache.
#[cfg(feature = "redis")]
pub(crate) fn cache_hit() {
    count!("jwt_redis_session_cache_hits_total");
}

/// A read was of a session that is not in the local cache.
#[cfg(feature = "redis")]
pub(crate) fn cache_miss() {
    count!("jwt_redis_session_cache_misses_total");
}

/// A read could not use the local cache.
#[cfg(feature = "redis")]
pub(crate) fn cache_bypass() {
    count!("jwt_redis_session_cache_bypasses_total");
}

/// Entries of the local cache were removed because Redis announced a change.
#[cfg(feature = "redis")]
pub(crate) fn cache_invalidations(entries: u64) {
    if entries > 0 {
        count!("jwt_redis_session_cache_invalidations_total"; entries);
    }
}
