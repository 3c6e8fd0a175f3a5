//! Sessions in Redis, over one shared connection that renews itself.

mod address;
mod answers;
mod client;
mod config;
mod connect;
mod connection;
mod contract;
mod error;
mod lane;
mod log_throttle;
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
