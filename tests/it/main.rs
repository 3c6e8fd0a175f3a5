//! The one integration test binary: everything through the public API.

mod support;

#[cfg(feature = "redis")]
mod faults_store;
mod middleware;
#[cfg(feature = "redis")]
mod redis_store;
