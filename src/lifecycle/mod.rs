//! What may be done with a session: one operation a file, no HTTP.
//!
//! A session that belongs to an owner stands in two places, its record and the owner's index,
//! and no store step touches both. The order of the steps, told at each operation, keeps the
//! promises whatever runs at the same time and wherever a process dies; `tests/it/interleavings`
//! runs them in every order.

pub(crate) mod core;
pub(crate) mod create;
pub(crate) mod create_as;
pub(crate) mod destroy;
pub(crate) mod lifetime;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod reply;
pub(crate) mod rotate;
pub(crate) mod save;
pub(crate) mod touch;
