//! Test support that the library and the service share.
//!
//! * [`scheduler`] explores every order of the store steps of concurrent operations.
//! * [`Counting`] counts the calls of a store.

mod counting;
pub mod scheduler;

pub use counting::Counting;
