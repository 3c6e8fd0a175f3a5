//! Middleware that rejects requests without a session.

mod layer;
mod respond;
mod service;

pub use layer::RequireSession;
pub use respond::{EmptyBody, JsonBody, Respond};
pub use service::{RequireFuture, RequireSessionService};
