//! The operations on sessions: one file per operation, no HTTP.
//!
//! A session that belongs to an owner is kept in two places, its record and the owner's index,
//! and no store step touches both. The order of the steps, documented at each operation, keeps
//! the promises under every interleaving and every crash; `tests/it/interleavings` explores them.

pub(crate) mod core;
pub(crate) mod create;
pub(crate) mod create_with_id;
pub(crate) mod destroy;
pub(crate) mod end;
pub(crate) mod end_reasons;
pub(crate) mod ended;
pub(crate) mod index;
pub(crate) mod lifetime;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod login;
pub(crate) mod reservation;
pub(crate) mod rotate;
pub(crate) mod save;
pub(crate) mod tasks;
pub(crate) mod touch;
pub(crate) mod transfer;
