//! The stored form of a session: JSON, metadata, merging of changes.

pub(crate) mod changes;
pub(crate) mod data;
pub(crate) mod encode;
pub(crate) mod equality;
pub(crate) mod json;
pub(crate) mod keyspace;
pub(crate) mod owner;
#[allow(
    clippy::module_inception,
    reason = "the record is the noun of this folder"
)]
mod record;

pub(crate) use record::*;
