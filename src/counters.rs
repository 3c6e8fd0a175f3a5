//! Metrics, recorded through the `metrics` facade if the feature is enabled.
//! `docs/guide/operating.md` lists the names.

#[cfg(feature = "metrics")]
use std::sync::OnceLock;
#[cfg(feature = "metrics")]
use std::time::Duration;

#[cfg(feature = "metrics")]
use metrics::{Counter, Histogram};

/// Increments a counter by one, or by the number after the semicolon.
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

/// Metrics of reads. Their handles are looked up at the first read, because a look-up takes ten
/// times as long as the rest.
#[derive(Default)]
pub(crate) struct ReadMetrics {
    #[cfg(feature = "metrics")]
    loads: OnceLock<Counter>,
    #[cfg(feature = "metrics")]
    hits: OnceLock<Counter>,
    #[cfg(feature = "metrics")]
    seconds: OnceLock<Histogram>,
}

#[cfg(feature = "metrics")]
impl ReadMetrics {
    /// Counts a session that was looked up.
    pub(crate) fn loaded(&self, found: bool) {
        let loads = || metrics::counter!("jwt_redis_session_loads_total");
        self.loads.get_or_init(loads).increment(1);
        if found {
            let hits = || metrics::counter!("jwt_redis_session_hits_total");
            self.hits.get_or_init(hits).increment(1);
        }
    }

    /// Records how long the call of the store took.
    pub(crate) fn took(&self, took: Duration) {
        let seconds =
            || metrics::histogram!("jwt_redis_session_store_seconds", "operation" => READ);
        self.seconds.get_or_init(seconds).record(took.as_secs_f64());
    }
}

/// The operation of [`ReadMetrics`].
pub(crate) const READ: &str = "load";

/// Records how long a call of the store took.
#[cfg(feature = "metrics")]
pub(crate) fn store_call(operation: &'static str, took: Duration) {
    metrics::histogram!("jwt_redis_session_store_seconds", "operation" => operation)
        .record(took.as_secs_f64());
}

/// Counts a read that the local cache served.
#[cfg(feature = "redis")]
pub(crate) fn cache_hit() {
    count!("jwt_redis_session_cache_hits_total");
}

/// Counts a read of a session that is not in the local cache.
#[cfg(feature = "redis")]
pub(crate) fn cache_miss() {
    count!("jwt_redis_session_cache_misses_total");
}

/// Counts a read that could not use the local cache.
#[cfg(feature = "redis")]
pub(crate) fn cache_bypass() {
    count!("jwt_redis_session_cache_bypasses_total");
}

/// Counts entries of the local cache that were removed because Redis announced a change.
#[cfg(feature = "redis")]
pub(crate) fn cache_invalidations(entries: u64) {
    if entries > 0 {
        count!("jwt_redis_session_cache_invalidations_total"; entries);
    }
}
