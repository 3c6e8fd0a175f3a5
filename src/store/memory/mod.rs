//! A store in the memory of the process.

mod contents;
mod expiring_map;
mod store;

pub use store::MemoryStore;
