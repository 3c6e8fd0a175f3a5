//! A store in one file.

mod error;
mod file;
mod owned;
mod store;
mod sweep;
mod tables;
#[cfg(test)]
mod tests;
mod writer;

pub use store::FileStore;
