//! Server-side sessions behind signed tokens, for tower.

#![cfg_attr(docsrs, feature(doc_cfg))]

mod clock;
mod crypto;
mod id;
mod rejection;
pub mod store;
mod token;

pub use clock::{Clock, ManualClock, SystemClock};
pub use id::{InvalidSessionId, SessionId};
pub use rejection::Rejection;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use store::{RedisConfig, RedisStore};
pub use token::Token;
