//! What is kept, for how long.

pub(crate) mod contract;
pub(crate) mod error;
pub(crate) mod memory;
#[cfg(feature = "redis")]
mod redis;

pub use contract::{Command, Compared, IndexEntry, Reply, Standing, Store, Stored, Superseded};
pub use error::{StoreError, StoreErrorKind};
#[cfg(feature = "redis")]
pub use redis::{RedisConfig, RedisStore};
