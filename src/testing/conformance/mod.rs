//! The promises that any [`Store`](crate::store::Store) must keep, as a suite of cases.
//!
//! A store of your own passes if [`check`] returns:
//!
//! ```
//! # use jwt_redis_session::{MemoryStore, testing::conformance};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! // In your tests: #[tokio::test] async fn keeps_its_promises() { ... }
//! conformance::check(MemoryStore::new()).await;
//! # }
//! ```
//!
//! To see the cases one by one, walk through [`CASES`]:
//!
//! ```
//! # use std::sync::Arc;
//! # use jwt_redis_session::{MemoryStore, testing::conformance};
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let store = Arc::new(MemoryStore::new());
//! for case in conformance::CASES {
//!     println!("{}: {}", case.name(), case.promise());
//!     case.run(store.clone()).await;
//! }
//! # }
//! ```
//!
//! The cases need a tokio runtime with timers whose time is not paused, and a store that follows
//! the real time. Every name begins with a prefix of its own for each run and expires within two
//! minutes, so the suite can run against a database that others use.

// A broken promise is told by a panic: this is a suite of tests.
#![allow(clippy::panic, clippy::missing_panics_doc)]

mod batches;
mod bench;
mod expiry;
mod index;
mod marks;
mod races;
mod records;
mod suite;

pub use suite::{CASES, Case, check};
