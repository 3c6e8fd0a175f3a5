//! A session as one request sees it.

mod cell;
mod creation;
mod entry;
mod handle;
mod operations;
mod siblings;
mod state;
mod steps;

pub use entry::SessionEntry;
pub use handle::Session;
pub use state::SessionState;

pub(crate) use cell::Usage;
