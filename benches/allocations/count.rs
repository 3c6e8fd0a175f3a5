//! Counts what requests to a router cost: allocations, and commands sent to Redis.

use std::net::SocketAddr;

use allocation_counter::measure;
use axum::Router;
use http::StatusCode;
use jwt_redis_session::Token;
use test_support::redis_monitor::Monitor;
use tokio::runtime::Runtime;
use tower::ServiceExt as _;

use crate::support::request;

const WARM_UP: u32 = 20;
const COUNTED: u32 = 200;
const MONITORED: u32 = 16;

/// Returns the mean number of allocations of a request, the request itself included.
pub(crate) fn allocations(runtime: &Runtime, router: &Router, path: &str, token: &Token) -> f64 {
    runtime.block_on(send(router, path, token, WARM_UP));
    let counted = measure(|| runtime.block_on(send(router, path, token, COUNTED)));
    counted.count_total as f64 / f64::from(COUNTED)
}

/// Returns the names of the commands with the number of each per request.
pub(crate) fn commands(
    redis: SocketAddr,
    runtime: &Runtime,
    router: &Router,
    path: &str,
    token: &Token,
) -> String {
    let monitor = Monitor::start(redis);
    runtime.block_on(send(router, path, token, MONITORED));
    let counts = monitor.stop();
    let counts = counts.into_iter().map(|(command, count)| {
        let each = f64::from(count) / f64::from(MONITORED);
        format!("{command} {each}")
    });
    counts.collect::<Vec<_>>().join(", ")
}

/// Sends `times` requests, one after the other.
async fn send(router: &Router, path: &str, token: &Token, times: u32) {
    for _ in 0..times {
        let request = request(path, Some(token));
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
    }
}
