//! Test support that the library and the service share.
//!
//! * [`scheduler`] explores every order of the store steps of concurrent operations.
//! * [`Counting`] counts the calls of a store.
//! * [`redis_server`] starts Redis servers, [`proxy`] breaks the connections to them.

// Helpers of tests: they panic when something is not as expected.
#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    clippy::missing_errors_doc
)]

mod counting;
pub mod proxy;
pub mod redis_server;
pub mod scheduler;
mod support;
pub mod walls;

pub use counting::Counting;
pub use support::*;
