#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
mod axum;
mod builder;
mod clock;
pub mod config;
mod counters;
mod crypto;
mod encoding;
pub mod error;
mod id;
mod json;
mod lifecycle;
pub mod middleware;
mod record;
pub mod reexports;
mod retries;
pub mod session;
mod sessions;
mod source;
mod span;
pub mod store;
mod telemetry;
#[cfg(any(test, feature = "test-util"))]
pub mod testing;
mod tickets;
pub mod token;
mod token_rejection;
#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod typed;
mod unsearched_body;

#[cfg(feature = "axum")]
pub use axum::ActiveSession;
pub use error::SessionError;
pub use id::SessionId;
pub use lifecycle::{Lifetime, Touch};
pub use middleware::{JwtRedisSession, RequireSession, SessionRejection, Tagged};
pub use session::{Session, SessionData, SessionEnd, SessionEntry, SessionState};
pub use sessions::Sessions;
pub use source::{TokenSource, TokenSources};
pub use store::memory::MemoryStore;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use store::{RedisConfig, RedisStore};
pub use token::{Algorithm, Claims, Keyring, OpaqueTokens, Token};
pub use token_rejection::TokenRejection;
#[cfg(feature = "axum")]
pub use typed::Typed;
