//! Session stores, and the trait for implementing others.
//!
//! | store | use |
//! |---|---|
//! | `RedisStore` (feature `redis`) | production, with sessions that several processes share |
//! | [`MemoryStore`](crate::MemoryStore) | tests, and one process without Redis |
//! | `FileStore` (feature `embedded`) | one process without Redis; sessions survive its restart |
//! | [`CasStore`](cas::CasStore) | any database with get and compare-and-swap, in about 100 lines; the package `stores/dynamodb` of the repository is one |
//! | your own [`Store`] | any database, with full control over each step |
//!
//! Functions that take a store accept `impl Into<`[`SharedStore`]`>`. Several `Sessions` can share
//! a store through clones of one `SharedStore`:
//!
//! ```
//! use jwt_redis_session::store::SharedStore;
//! use jwt_redis_session::{Keyring, MemoryStore, Sessions};
//!
//! let store = SharedStore::from(MemoryStore::new());
//! let keys = Keyring::hs256("a secret of at least 32 random bytes")?;
//! let shop = Sessions::builder(store.clone(), keys.clone()).keyspace("shop:").build()?;
//! let admin = Sessions::builder(store, keys).keyspace("admin:").build()?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! A store holds *records* and *indexes*, which [`Store`] describes. Test your own store with
//! `testing::conformance::check` (feature `test-util`).

pub mod cas;
pub(crate) mod contract;
#[cfg(feature = "embedded")]
mod embedded;
pub(crate) mod error;
pub(crate) mod index_entries;
pub(crate) mod memory;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod shared;
pub(crate) mod types;
pub(crate) mod watches;

pub use async_trait::async_trait;

pub use contract::Store;
#[cfg(feature = "embedded")]
pub use embedded::FileStore;
pub use error::{StoreError, StoreErrorKind};
#[cfg(feature = "redis")]
pub use redis::{Cache, CacheStats, RedisConfig, RedisStore, ServerInfo};
pub use shared::SharedStore;
pub(crate) use types::REDIRECT;
pub use types::{
    CompareOutcome, Due, EntryState, IndexEntry, IndexPage, InsertOutcome, NewEntry, NewRecord,
    PutMode, ScanPage, StoredRecord, SupersedeOutcome,
};
pub use watches::{RecordWatch, RecordWatches, WatchEvent};
