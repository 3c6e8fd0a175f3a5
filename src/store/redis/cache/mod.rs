//! Cache of records in this process, which Redis invalidates.
//!
//! The server remembers which keys a connection has read and announces on the same connection when
//! one of them changes (`CLIENT TRACKING`). Announcements and answers are one ordered stream.

mod entries;
mod local_cache;
mod moment;
mod proof;
mod settings;
mod stats;
mod tracking;

pub(super) use local_cache::{LocalCache, Lookup, Reading};
pub(super) use moment::Moment;
pub use settings::Cache;
pub use stats::CacheStats;
pub(super) use tracking::Tracking;
