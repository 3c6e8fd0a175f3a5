//! Session stores on any database that can compare and swap.
//!
//! [`CasStore`] is a complete [`Store`](crate::store::Store) on any database that can
//! read a value and replace it if it has not changed: SQL, `DynamoDB`, etcd, embedded databases.
//! Implement the three methods of [`CasBackend`]; `CasStore` does the rest.
//!
//! Implement `Store` itself if the database can do more in one round trip than compare and swap,
//! or if owners have more than about a thousand sessions: `CasStore` keeps the index of an owner
//! as one value, and every login of that owner rewrites it.
//!
//! The example `custom_store` has a complete backend: a durable store in a file, in about 100
//! lines. Everything else is as with other stores:
//!
//! ```
//! use jwt_redis_session::store::cas::{CasBackend, CasStore};
//! use jwt_redis_session::{Keyring, Sessions};
//!
//! # use jwt_redis_session::config::ConfigError;
//! fn sessions(backend: impl CasBackend, keys: Keyring) -> Result<Sessions, ConfigError> {
//!     Sessions::builder(CasStore::new(backend), keys).build()
//! }
//! ```

mod backend;
mod encoding;
mod store;

#[cfg(test)]
mod tests;

pub use backend::CasBackend;
pub use store::CasStore;
