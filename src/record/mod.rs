//! The stored form of a session: JSON, metadata, merging of changes.

mod array;
mod changes;
mod data;
mod device;
pub(crate) mod encode;
mod equality;
mod field_span;
mod keyspace;
mod meta;
mod owner;
#[allow(clippy::module_inception, reason = "the folder's noun")]
mod record;
mod record_writer;
mod redirect;

pub(crate) use changes::Changes;
pub use data::SessionData;
pub use device::Device;
pub(crate) use keyspace::{Keyspace, Name};
pub(crate) use meta::Meta;
pub(crate) use owner::Owner;
pub(crate) use record::*;
pub(crate) use redirect::Redirect;
