//! A store in the memory of the process.

mod contents;
mod store;

pub use store::MemoryStore;
