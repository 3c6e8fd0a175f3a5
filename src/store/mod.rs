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
//! # A store, step by step
//!
//! A store holds *records* and *indexes*, which [`Store`] describes. These are the steps that
//! [`Sessions`](crate::Sessions) takes:
//!
//! ```
//! use std::time::Duration;
//! use jwt_redis_session::MemoryStore;
//! use jwt_redis_session::store::{
//!     CompareOutcome, EntryState, NewEntry, NewRecord, PutMode, Store as _, SupersedeOutcome,
//! };
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), jwt_redis_session::store::StoreError> {
//! let (store, hour) = (MemoryStore::new(), Duration::from_secs(3600));
//!
//! assert!(store.insert(NewRecord::new("record", b"{}", hour)).await?);
//! let record = store.load("record").await?.expect("it was inserted");
//! assert_eq!(&*record.value, b"{}");
//!
//! let newer = NewRecord::new("record", br#"{"a":1}"#, hour);
//! assert_eq!(store.compare_and_set(b"{}", newer).await?, CompareOutcome::Applied);
//! let mismatch = store.compare_and_delete("record", b"{}").await?;
//! assert_eq!(mismatch, CompareOutcome::Mismatch(br#"{"a":1}"#.as_slice().into()));
//! assert!(store.delete("record").await?);
//!
//! for member in ["old", "new"] {
//!     store.index_put(NewEntry::new("index", member, 0, hour), PutMode::KeepTombstone).await?;
//! }
//! let superseded = store.index_supersede("index", "old", "new", 1).await?;
//! assert_eq!(superseded, SupersedeOutcome::Superseded);
//! let state = store.index_get("index", "old").await?;
//! assert_eq!(state, Some(EntryState::Superseded { since: 1 }));
//! # Ok(())
//! # }
//! ```
//!
//! Test your own store with `testing::conformance::check` (feature `test-util`).

pub mod cas;
pub(crate) mod contract;
#[cfg(feature = "embedded")]
mod embedded;
pub(crate) mod error;
pub(crate) mod index_entries;
mod memo;
pub(crate) mod memory;
#[cfg(feature = "redis")]
mod redis;
pub(crate) mod shared;
pub(crate) mod types;
pub(crate) mod watches;

// In the order in which docs.rs lists them.
pub use contract::Store;

pub use shared::SharedStore;

#[cfg(feature = "redis")]
pub use redis::RedisStore;

#[cfg(feature = "redis")]
pub use redis::{Cache, CacheStats, RedisConfig, ServerInfo};

#[cfg(feature = "embedded")]
pub use embedded::FileStore;

pub use error::{StoreError, StoreErrorKind};

pub use types::{NewRecord, StoredRecord};

pub use types::{CompareOutcome, InsertOutcome};

pub use types::{Due, EntryState, IndexEntry, IndexPage, NewEntry, PutMode, SupersedeOutcome};

pub use types::ScanPage;

pub use watches::{RecordWatch, RecordWatches, WatchEvent};

pub use async_trait::async_trait;

pub(crate) use memo::Memo;
pub(crate) use types::REDIRECT;
