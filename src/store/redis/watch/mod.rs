//! Watches on records, by the invalidation messages of Redis (`CLIENT TRACKING`).
//!
//! They have a connection of their own, on which only watched keys are read. On the connection
//! that calls share, every read would be tracked and would cost the server more than twice as much
//! CPU time, or each read of a watched key would need a `CLIENT CACHING YES` before it (`OPTIN`).
//! A connection of its own also leaves the protocol of the other ones as it is.
//!
//! A key is read with `PTTL`, which makes Redis announce its next change, once. So the key is read
//! again after each announcement. Both on one connection: no change is missed in between.

mod queue;
mod tracked;
mod watcher;

pub(super) use watcher::Watcher;
