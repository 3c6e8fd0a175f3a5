//! Test utilities: a conformance suite for stores, and stores that fail on demand.
//!
//! Enabled by the feature `test-util`, which belongs in `dev-dependencies`.
//!
//! * [`conformance`] checks that a [`Store`](crate::store::Store) keeps its contract.
//! * [`Faulty`] wraps any store, also a Redis store, and makes it fail: outages, refusals, lost
//!   replies and delays, switched by [`Faults`]. Use it to test how an application behaves while
//!   its session store is down.
//! * [`Hooked`] wraps any store and calls a [`Hook`] around every single [`Step`]: to count, to
//!   trace, to delay, to fail.
//!
//! A handler must answer 503, not 401, while the store is down:
//!
//! ```
//! use jwt_redis_session::store::StoreErrorKind;
//! use jwt_redis_session::testing::Faults;
//! use jwt_redis_session::{Keyring, MemoryStore, SessionError, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let faults = Faults::new();
//! let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789")?;
//! let sessions = Sessions::builder(faults.wrap(MemoryStore::new()), keys).build()?;
//! let session = sessions.new_session();
//! session.insert("user", "jo")?;
//!
//! faults.fail_with(StoreErrorKind::Connection);
//! assert!(matches!(session.create().await, Err(SessionError::Unavailable(_))));
//!
//! faults.heal();
//! session.create().await?;
//! # Ok(())
//! # }
//! ```

pub mod conformance;
mod faulty;
mod hooked;
#[cfg(test)]
mod tests;

pub use faulty::{Faults, Faulty};
pub use hooked::{Delivery, Hook, Hooked, Step, StepAnswer};
