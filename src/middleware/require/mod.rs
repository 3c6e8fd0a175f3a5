//! Middleware that rejects requests without a session.

mod future;
mod layer;
mod requirement;
mod respond;
mod service;

pub use future::RequireFuture;
pub use layer::RequireSession;
pub use respond::{EmptyBody, JsonBody, Respond};
pub use service::RequireSessionService;
