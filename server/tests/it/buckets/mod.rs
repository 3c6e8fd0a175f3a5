//! The buckets API.

mod api_keys;
mod authorization;
pub(crate) mod bucket;
mod etags;
mod rotation;
mod sessions;
mod settings;
