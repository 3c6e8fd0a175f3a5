//! A store in one file.

mod contract;
mod error;
mod file;
mod owned;
mod queries;
mod schema;
mod store;
mod sweep;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub use store::FileStore;
