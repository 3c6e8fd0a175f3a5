//! Sessions in Redis, over one shared connection that renews itself.

mod acl;
mod address;
mod answers;
mod backoff;
mod client;
mod commands;
mod config;
mod connect;
mod connection;
mod contract;
mod error;
mod eviction;
mod lane;
mod log_throttle;
mod race;
mod request;
mod scripts;
mod shared_connection;
mod spare;
mod store;
#[cfg(feature = "tls")]
mod tls;
mod traffic;

pub use config::RedisConfig;
pub use store::RedisStore;
