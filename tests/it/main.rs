//! The one integration test binary: everything through the public API.

use test_support as support;

#[cfg(all(feature = "axum", feature = "redis"))]
mod app;
#[cfg(feature = "test-util")]
mod conformance;
mod coverage;
#[cfg(feature = "test-util")]
mod custom_store;
#[cfg(all(feature = "axum", feature = "redis"))]
mod faults;
#[cfg(feature = "redis")]
mod faults_store;
#[cfg(all(feature = "test-util", feature = "redis"))]
mod faulty;
mod format;
#[cfg(feature = "redis")]
mod format_redis;
#[cfg(feature = "redis")]
mod history;
#[cfg(feature = "test-util")]
mod interleavings;
#[cfg(feature = "redis")]
mod interop;
#[cfg(feature = "metrics")]
mod metrics;
mod middleware;
mod operations;
mod readme;
#[cfg(feature = "redis")]
mod redis_store;
