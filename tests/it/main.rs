//! The library through its public door.

#[cfg(feature = "test-util")]
mod interleavings;
mod merge;
mod operations;
