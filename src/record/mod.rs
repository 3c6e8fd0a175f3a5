//! The stored form of a session: JSON, metadata, merging of changes.

mod changes;
mod data;
pub(crate) mod encode;
mod equality;
mod keyspace;
#[allow(clippy::module_inception, reason = "the folder's noun")]
mod record;

pub(crate) use changes::Changes;
pub use data::SessionData;
pub(crate) use keyspace::Keyspace;
pub(crate) use record::*;
