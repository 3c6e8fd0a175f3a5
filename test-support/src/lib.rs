//! Test support that the library and the service share.
//!
//! * [`explorer`] explores every order of the store steps of concurrent operations.
//! * [`Counting`] counts the calls of a store.
//! * [`redis_server`] starts Redis servers, [`proxy`] disturbs connections to them.
//! * [`redis_cluster`] and [`redis_sentinels`] start several servers that belong together.
//! * [`redis_monitor`] counts the commands that clients send.
//! * [`http_load`] sends many HTTP requests.
//! * [`nginx`] starts a proxy in front of a service.
//! * [`certificates`] makes certificates for TLS.
//! * [`program`] runs programs under test.

#![allow(
    clippy::missing_panics_doc,
    clippy::must_use_candidate,
    reason = "a panic is how a test fails"
)]

pub mod certificates;
mod counting;
pub mod explorer;
pub mod http_load;
pub mod nginx;
pub mod program;
pub mod proxy;
pub mod redis_cluster;
pub mod redis_monitor;
pub mod redis_sentinels;
pub mod redis_server;
mod waiting;

pub use counting::Counting;
pub use waiting::{alive_tasks, eventually, seconds, unique};
