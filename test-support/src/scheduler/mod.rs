//! A store that stops before every step, and a search through all orders of the steps.
//!
//! What several processes do to one store at the same time depends on the order in which their
//! steps arrive. A [`Scheduler`] gives a test control over that order; an [`Explorer`] goes
//! through all orders, on request with crashes, dropped futures and failing steps.

mod explorer;
mod pipelined;
mod process;
mod schedule;
#[allow(
    clippy::module_inception,
    reason = "the scheduler is the noun of this folder"
)]
mod scheduler;
mod simulation;
mod stepping;
mod trace;

pub use explorer::Explorer;
pub use process::{ProcessId, Waiting};
pub use schedule::{Summary, Violation};
pub use scheduler::Scheduler;
pub use simulation::{Call, Simulation};
pub use stepping::{Stepping, Stop};
