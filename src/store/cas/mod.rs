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
//! The example `custom_store` is a durable store in a file. A backend in memory:
//!
//! ```
//! use std::collections::HashMap;
//! use std::sync::Mutex;
//! use std::time::{Duration, Instant};
//!
//! use async_trait::async_trait;
//! use jwt_redis_session::store::cas::{CasBackend, CasStore};
//! use jwt_redis_session::store::{StoreError, StoredRecord};
//! use jwt_redis_session::{Keyring, Sessions};
//!
//! /// Values with the time at which they expire, or `None` if that is too far away.
//! #[derive(Debug, Default)]
//! struct Memory(Mutex<HashMap<String, (Vec<u8>, Option<Instant>)>>);
//!
//! #[async_trait]
//! impl CasBackend for Memory {
//!     async fn get(&self, key: &str) -> Result<Option<StoredRecord>, StoreError> {
//!         let (values, now) = (self.0.lock().unwrap(), Instant::now());
//!         let live = values.get(key).filter(|(_, expires)| expires.is_none_or(|at| at > now));
//!         Ok(live.map(|(value, expires)| {
//!             StoredRecord::new(value.clone(), expires.map(|expires| expires - now))
//!         }))
//!     }
//!
//!     async fn swap(
//!         &self,
//!         key: &str,
//!         expected: Option<&[u8]>,
//!         new: Option<(&[u8], Duration)>,
//!     ) -> Result<bool, StoreError> {
//!         let (mut values, now) = (self.0.lock().unwrap(), Instant::now());
//!         values.retain(|_, (_, expires)| expires.is_none_or(|at| at > now));
//!         if values.get(key).map(|(value, _)| &value[..]) != expected {
//!             return Ok(false);
//!         }
//!         match new {
//!             Some((value, ttl)) => {
//!                 values.insert(key.to_owned(), (value.to_vec(), now.checked_add(ttl)))
//!             }
//!             None => values.remove(key),
//!         };
//!         Ok(true)
//!     }
//!
//!     async fn ping(&self) -> Result<(), StoreError> {
//!         Ok(())
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789")?;
//! let sessions = Sessions::builder(CasStore::new(Memory::default()), keys).build()?;
//! let token = sessions.new_session().create().await?;
//! assert!(sessions.open(token.as_str()).await.is_ok());
//! # Ok(())
//! # }
//! ```

mod backend;
mod encoding;
mod store;

#[cfg(test)]
mod tests;

pub use backend::CasBackend;
pub use store::CasStore;
