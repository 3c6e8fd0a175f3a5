//! Session stores, and the contract for other stores.
//!
//! | store | for |
//! |---|---|
//! | `RedisStore` (feature `redis`) | production: several processes share their sessions |
//! | [`MemoryStore`](crate::MemoryStore) | tests, and one process without Redis |
//! | [`CasStore`](cas::CasStore) | any database with get and compare-and-swap, in about 100 lines |
//! | your own [`Store`] | any database, with full control over each step |
//!
//! Everything that takes a store takes `impl Into<`[`SharedStore`]`>`. Clones of one handle let
//! several `Sessions` share a store:
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
//! A store keeps *records* and *indexes*; [`Store`] describes both. Run
//! `testing::conformance::check` (feature `test-util`) on your own store.

pub mod cas;
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
