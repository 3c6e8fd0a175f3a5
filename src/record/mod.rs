//! What the store keeps of a session: JSON, metadata, merge of changes.

pub(crate) mod data;
pub(crate) mod keyspace;
pub(crate) mod owner;
#[allow(
    clippy::module_inception,
    reason = "the record is the noun of this folder"
)]
mod record;

pub(crate) use record::*;
