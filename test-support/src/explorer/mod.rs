//! A search through every order in which the store steps of concurrent operations can run.
//!
//! What several processes do to one store at the same time depends on the order in which their
//! steps reach it. An [`Explorer`] goes through all orders, on request with crashes, dropped
//! futures and failing steps, and checks what is left at each end.

mod process;
mod process_store;
mod search;
mod simulation;
mod state;
mod store_call;

pub use search::Explorer;
pub use simulation::{Call, Simulation};
