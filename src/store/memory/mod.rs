//! A store in the memory of the process.

mod contents;
mod store;
#[cfg(test)]
mod tests;

pub use store::MemoryStore;
