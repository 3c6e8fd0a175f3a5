//! Watches on records, by the invalidation messages of Redis (`CLIENT TRACKING`).
//!
//! They have a separate connection, in RESP3, which leaves the other connections as they are:
//! their protocol, and reads without a `CLIENT CACHING YES` before them.
//!
//! Redis announces the next change of a key that was read after `CLIENT CACHING YES`, once. So a
//! key is read again after each announcement, with `PTTL`: on the same connection, so that no
//! change is missed in between. A key without a record is not read in this way. Redis would keep
//! it for ever, because it does not change any more.

mod queue;
mod tracked;
mod watcher;

pub(super) use watcher::Watcher;
