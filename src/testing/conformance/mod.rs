//! Conformance suite: a table of cases, one for each promise that a
//! [`Store`](crate::store::Store) makes.
//!
//! A store passes if [`check`] returns:
//!
//! ```
//! use jwt_redis_session::MemoryStore;
//! use jwt_redis_session::testing::conformance;
//!
//! # /*
//! #[tokio::test]
//! # */
//! async fn my_store_conforms() {
//!     conformance::check(MemoryStore::new()).await;
//! }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
//! #     .block_on(my_store_conforms());
//! ```
//!
//! [`CASES`] lists the cases for a test harness that [runs](Case::run) them one by one.
//!
//! Every case runs twice: on the store itself, and through its required methods only. This shows
//! that overrides of provided methods have the same effect as the steps they replace. The suite
//! cannot check the *order* of the steps inside an atomic override.
//!
//! The cases need a tokio runtime with timers and without paused time, and a store that follows the
//! real time. All keys have a random prefix and expire within two minutes, so the suite can run on
//! a database that is in use.

// A broken promise is a panic: the cases are tests.
#![allow(clippy::panic, clippy::missing_panics_doc)]

mod expiry;
mod harness;
mod indexes;
mod provided;
mod races;
mod records;
mod suite;
mod watches;

pub use suite::{CASES, Case, check};
