//! Who may not pass without a session?

mod future;
mod layer;
mod refuse;
mod service;

pub use future::RequireFuture;
pub use layer::RequireSession;
pub use refuse::{EmptyBody, Refuse};
pub use service::RequireSessionService;
