//! The library through its public API.

mod format;
mod readme;
