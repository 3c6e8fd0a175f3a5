//! Test utilities: a conformance suite for stores, and stores that fail on demand.
//!
//! Enabled by the feature `test-util`, which belongs in `dev-dependencies`.
//!
//! * [`conformance`] checks that a [`Store`](crate::store::Store) keeps its contract.
//! * [`Faulty`] wraps any store, including a Redis store. [`Faults`] switches its outages, failing
//!   steps, lost replies and delays on and off.
//! * [`Hooked`] wraps any store and passes every [`Step`] through a [`Hook`], which can count,
//!   trace, delay or fail it.
//!
//! A handler must answer 503, not 401, while the store is down:
//!
//! ```
//! use jwt_redis_session::store::StoreErrorKind;
//! use jwt_redis_session::testing::{Faults, Step};
//! use jwt_redis_session::{Keyring, MemoryStore, SessionError, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let faults = Faults::new();
//! let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789")?;
//! let sessions = Sessions::builder(faults.wrap(MemoryStore::new()), keys).build()?;
//! let token = sessions.new_session().create().await?;
//!
//! faults.fail_with(StoreErrorKind::Connection);
//! let outage = sessions.open(token.as_str()).await;
//! assert!(matches!(outage, Err(SessionError::Unavailable(_))));
//! faults.heal();
//!
//! // The reply to a write is lost: the session is destroyed, but the caller cannot know.
//! let session = sessions.open(token.as_str()).await?;
//! faults.on(Step::Delete).lose_replies(1);
//! assert!(session.destroy().await.is_err());
//! assert!(matches!(sessions.open(token.as_str()).await, Err(SessionError::Rejected(_))));
//! # Ok(())
//! # }
//! ```

pub mod conformance;
mod faulty;
mod hooked;
#[cfg(test)]
mod tests;

pub use faulty::{Faults, Faulty};
pub use hooked::{Hook, Hooked, Step};
