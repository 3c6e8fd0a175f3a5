//! What is kept, for how long.

pub mod cas;
pub mod contract;
pub(crate) mod error;
pub(crate) mod index_entries;
pub(crate) mod legacy;
pub(crate) mod memory;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod shared;
pub(crate) mod types;

pub use error::{StoreError, StoreErrorKind};
pub use legacy::{Command, Compared, IndexEntry, Reply, Standing, Store, Stored, Superseded};
#[cfg(feature = "redis")]
pub use redis::{RedisConfig, RedisStore};
pub use shared::SharedStore;
pub use types::{
    CompareOutcome, Due, EntryState, IndexFilter, InsertOutcome, NewEntry, NewRecord, PutMode,
    StoredRecord, SupersedeOutcome,
};
