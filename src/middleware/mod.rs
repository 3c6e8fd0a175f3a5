//! When, in a request?

mod body;
mod data;
mod read;

pub use body::SessionBody;

pub(crate) use read::{ReadBody, ReadLimits};
