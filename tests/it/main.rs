//! The one integration test binary: everything through the public API.

mod support;

#[cfg(feature = "redis")]
mod faults_store;
#[cfg(feature = "test-util")]
mod interleavings;
mod merge;
mod middleware;
mod operations;
#[cfg(feature = "redis")]
mod redis_store;
