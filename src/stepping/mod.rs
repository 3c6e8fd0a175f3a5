//! A store that stops at every step, and an explorer of all the orders that steps can take.
//!
//! What several processes do to one store at the same time is a matter of the order in which
//! their commands arrive. [`Stepper`] takes that order into a test's hand; [`Explorer`] goes
//! through all of them, with crashes and dropped futures if asked.

mod explorer;
mod process;
mod schedule;
mod state;
mod stepper;
mod world;

pub use explorer::Explorer;
pub use process::SteppedStore;
pub use schedule::{Summary, Violation};
pub use state::{Parked, ProcessId};
pub use stepper::Stepper;
pub use world::{Outcome, World};

#[cfg(test)]
mod toy;
