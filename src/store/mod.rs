//! The store contract, and the stores in memory and in Redis.

pub(crate) mod contract;
pub(crate) mod error;
pub(crate) mod index_entries;
pub(crate) mod memory;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod shared;
pub(crate) mod types;

pub use async_trait::async_trait;

pub use contract::Store;
pub use error::{StoreError, StoreErrorKind};
#[cfg(feature = "redis")]
pub use redis::{RedisConfig, RedisStore};
pub use shared::SharedStore;
pub use types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexFilter, InsertOutcome, NewEntry, NewRecord,
    PutMode, StoredRecord, SupersedeOutcome,
};
