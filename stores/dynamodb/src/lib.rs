#![doc = include_str!("../README.md")]

mod backend;
mod error;
mod expiry;
mod item;
mod resend;

pub use backend::DynamoDb;
