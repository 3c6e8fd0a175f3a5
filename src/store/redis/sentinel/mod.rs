//! Redis Sentinel: which server is the master, and when that changes.

mod query;
mod sentinels;
mod votes;
mod watch;

pub(super) use sentinels::Sentinels;
