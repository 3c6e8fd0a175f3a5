//! The one integration test binary: everything through the public API.

use test_support as support;

#[cfg(feature = "redis")]
mod acknowledged;
#[cfg(all(feature = "axum", feature = "redis"))]
mod app;
#[cfg(feature = "test-util")]
mod conformance;
#[cfg(feature = "test-util")]
mod custom_store;
#[cfg(feature = "axum")]
mod devices;
#[cfg(all(feature = "axum", feature = "test-util"))]
mod endpoints;
#[cfg(all(feature = "redis", feature = "test-util"))]
mod events;
#[cfg(feature = "redis")]
mod faults_store;
#[cfg(feature = "embedded")]
mod file_store;
mod format;
#[cfg(feature = "test-util")]
mod interleavings;
#[cfg(feature = "redis")]
mod interop;
mod log;
#[cfg(feature = "metrics")]
mod metrics;
mod middleware;
mod operations;
#[cfg(all(feature = "redis", feature = "test-util"))]
mod redis_store;
#[cfg(all(feature = "axum", feature = "test-util"))]
mod typed;
#[cfg(all(feature = "axum", feature = "test-util"))]
mod user_tests;
