//! Server-side sessions behind signed tokens, for tower.

mod clock;
mod crypto;
mod id;
mod middleware;
mod rejection;
mod source;
pub mod store;
mod token;

pub use clock::{Clock, ManualClock, SystemClock};
pub use id::{InvalidSessionId, SessionId};
pub use middleware::SessionBody;
pub use rejection::Rejection;
pub use source::{InvalidTokenArg, TokenSource, TokenSources};
pub use token::Token;
