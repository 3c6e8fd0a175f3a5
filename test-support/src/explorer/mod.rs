//! A search through every order in which the store steps of concurrent operations can run.
//!
//! What several processes do to one store at the same time depends on the order in which their
//! steps reach it. An [`Explorer`] goes through all orders, on request with crashes, dropped
//! futures and failing steps, and checks what is left at each end.

#[allow(
    clippy::module_inception,
    reason = "the explorer is the noun of this folder"
)]
mod explorer;
mod process;
mod process_store;
mod simulation;
mod state;
mod store_call;

pub use explorer::Explorer;
pub use simulation::{Call, Simulation};
