//! The one integration test binary: everything through the public API.

#[cfg(feature = "redis")]
mod support;

#[cfg(all(feature = "axum", feature = "redis"))]
mod app;
#[cfg(any())]
mod conformance;
mod coverage;
#[cfg(feature = "test-util")]
mod edges;
#[cfg(all(feature = "axum", feature = "redis"))]
mod faults;
#[cfg(any())]
mod faults_store;
mod format;
#[cfg(feature = "redis")]
mod format_redis;
#[cfg(feature = "redis")]
mod history;
#[cfg(feature = "test-util")]
mod interleavings;
#[cfg(feature = "redis")]
mod interop;
mod merge;
#[cfg(feature = "metrics")]
mod metrics;
mod middleware;
mod operations;
mod readme;
#[cfg(any())]
mod redis_store;
mod rooms;
