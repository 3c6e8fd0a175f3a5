//! Server-side sessions behind signed tokens, for tower.

mod clock;
#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
mod crypto;
mod id;
mod rejection;
#[cfg(any(test, feature = "test-util"))]
pub mod stepping;
pub mod store;
mod token;

pub use clock::{Clock, ManualClock, SystemClock};
pub use id::{InvalidSessionId, SessionId};
pub use rejection::Rejection;
pub use store::memory::MemoryStore;
pub use token::Token;
