//! Tests through the public API.

mod middleware;
