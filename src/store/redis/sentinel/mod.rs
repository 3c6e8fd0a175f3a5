//! Redis Sentinel: which server is the master, and when that changes.

mod confirmations;
mod query;
mod sentinels;
mod watch;

pub(super) use sentinels::Sentinels;
