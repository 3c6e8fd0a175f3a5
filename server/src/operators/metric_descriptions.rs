//! Descriptions of the metrics of the service and of the library.

use metrics::{Unit, counter, describe_counter, describe_gauge, describe_histogram};

/// Counters without labels.
const COUNTERS: &str = "
sessiond_failed_authentications_total: Requests with a wrong or missing credential.
sessiond_limited_requests_total: Failed authentications that were answered 429.
sessiond_log_lines_lost_total: Log lines that were lost because they were not read in time.
jwt_redis_session_loads_total: Sessions that were looked up.
jwt_redis_session_hits_total: Sessions that were looked up and found.
jwt_redis_session_cache_hits_total: Reads that the local cache served.
jwt_redis_session_cache_misses_total: Reads of sessions that were not in the local cache.
jwt_redis_session_cache_bypasses_total: Reads that could not use the local cache.
jwt_redis_session_cache_invalidations_total: Entries of the local cache that a change removed.
";

const LABELED_COUNTERS: &str = "
sessiond_requests_total: Requests by method, route and status.
jwt_redis_session_rejections_total: Tokens that gave no session, by reason.
jwt_redis_session_unsearched_bodies_total: Bodies not searched for a token, by reason.
jwt_redis_session_gone_total: Operations on sessions that had ended, by operation.
jwt_redis_session_conflicts_total: Operations given up after concurrent changes, by operation.
jwt_redis_session_revoked_total: Operations on sessions being ended for a user, by operation.
jwt_redis_session_store_errors_total: Failed calls of the session store, by kind.
";

const GAUGES: &str = "
sessiond_build_info: Always 1; the label is the version of the service.
sessiond_store_up: Whether the session store answers and can serve: 1 or 0.
sessiond_store_evicts: Whether Redis evicts keys when its memory is full: 1 or 0.
sessiond_connections: Open connections, also those of operators.
sessiond_max_connections: The limit of open connections: http.max_connections, or less if the limit of open files is low.
sessiond_limiter_clients: Clients whose failed authentications are remembered.
";

const HISTOGRAMS: &str = "
sessiond_request_seconds: Seconds from a request to its response, by route.
jwt_redis_session_store_seconds: Seconds that calls of the session store take, by operation.
";

/// Describes all metrics. Exports counters without labels as 0, so that the first event is an
/// increase.
pub(super) fn describe() {
    for (name, help) in lines(COUNTERS) {
        describe_counter!(name, Unit::Count, help);
        counter!(name).increment(0);
    }
    for (name, help) in lines(LABELED_COUNTERS) {
        describe_counter!(name, Unit::Count, help);
    }
    for (name, help) in lines(GAUGES) {
        describe_gauge!(name, Unit::Count, help);
    }
    for (name, help) in lines(HISTOGRAMS) {
        describe_histogram!(name, Unit::Seconds, help);
    }
}

fn lines(text: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    text.lines().filter_map(|line| line.split_once(": "))
}
