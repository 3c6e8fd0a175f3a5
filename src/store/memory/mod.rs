//! A store in the memory of the process.

mod apply;
mod fault;
mod members;
mod shelf;
mod store;

pub use store::MemoryStore;
