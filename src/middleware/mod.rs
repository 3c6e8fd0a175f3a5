//! When, in a request?
//!
//! [`JwtRedisSession`] finds the session of every request, and
//! [`RequireSession`] answers for requests that have none. Both are tower
//! layers, and know neither axum nor any other framework. Their services and futures are here,
//! for whoever must name them.

mod body;
mod data;
mod future;
mod layer;
mod read;
mod require;
mod response;
mod search;
mod service;
mod session_rejection;
mod settings;
mod tagged;
mod vary;

pub use body::SessionBody;
pub use future::ResponseFuture;
pub use layer::JwtRedisSession;
pub use require::{EmptyBody, Refuse, RequireFuture, RequireSession, RequireSessionService};
pub use service::JwtRedisSessionService;
pub use session_rejection::{InvalidRealm, SessionRejection};
pub use tagged::Tagged;
