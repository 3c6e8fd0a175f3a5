//! Sessions in Redis, over one shared connection that renews itself.

mod address;
mod answers;
mod batching;
mod cache;
mod client;
#[cfg(feature = "cluster")]
mod cluster;
mod config;
mod connect;
mod connection;
mod contract;
mod credentials;
mod endpoint;
mod error;
mod hello;
mod lane;
mod log_throttle;
mod member;
mod request;
mod scripts;
#[cfg(feature = "sentinel")]
mod sentinel;
mod server;
mod server_info;
mod shared_connection;
mod spare;
mod store;
mod tcp;
#[cfg(feature = "tls")]
mod tls;
mod traffic;
mod watch;

pub use cache::{Cache, CacheStats};
pub use config::RedisConfig;
pub use server_info::ServerInfo;
pub use store::RedisStore;
