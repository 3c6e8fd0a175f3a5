//! The store against dynalite, an emulator of DynamoDB, which the tests install and start.

mod conformance;
mod emulator;
mod expiry;
mod failures;
mod front;
mod limits;
mod policy;
mod users;
