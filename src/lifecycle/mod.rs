//! The operations on sessions, without HTTP.
//!
//! A session that belongs to an owner is kept in two places, its record and the owner's index,
//! and no store step touches both. The order of the steps, documented at each operation, keeps
//! the promises under every interleaving and every crash; `tests/it/interleavings` explores them.

mod core;
mod create;
mod destroy;
mod destroy_everything;
mod end;
mod end_reasons;
mod ended;
mod evict;
mod find;
mod grace;
mod index;
mod last_use;
mod lifetime;
mod load;
mod login;
mod max_sessions;
mod rotate;
mod save;
mod tasks;
mod ticket;

pub(crate) use core::{Lifecycle, record_error};
pub(crate) use create::Created;
pub use end::SessionEnd;
pub(crate) use ended::Patience;
pub use evict::Evict;
pub(crate) use find::{Found, HOPS, Loaded, Read};
pub(crate) use grace::GRACE;
pub(crate) use lifetime::{DEFAULT_SHARE, Remaining, is_storable, limit};
pub use lifetime::{Lifetime, Touch};
pub(crate) use rotate::{Merge, Rotation};
pub(crate) use save::Edit;
pub(crate) use tasks::{run_to_completion, spawn_detached};
