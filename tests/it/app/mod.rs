//! The example app: its binary, over HTTP.

mod process;
mod tests;
