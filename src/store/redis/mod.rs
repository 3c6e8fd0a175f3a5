//! Sessions in Redis, over one shared connection that renews itself.

mod access;
mod adapter;
mod address;
mod backoff;
mod batch;
mod config;
mod decode;
mod dial;
mod eviction;
mod exchange;
mod fault;
mod journal;
mod lease;
mod scripts;
mod session_store;
#[cfg(feature = "tls")]
mod tls;

pub use config::RedisConfig;
pub use session_store::RedisStore;
