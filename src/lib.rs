#![doc = include_str!("../README.md")]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod builder;
mod clock;
#[cfg(any(test, feature = "test-util"))]
pub mod conformance;
mod crypto;
mod data;
mod engine;
mod error;
#[cfg(feature = "axum")]
mod extract;
mod id;
mod keyspace;
pub mod middleware;
mod owner;
mod record;
mod rejection;
mod session;
mod sessions;
mod source;
#[cfg(any(test, feature = "test-util"))]
pub mod stepping;
pub mod store;
mod telemetry;
mod token;

pub use builder::{ConfigError, SessionsBuilder};
pub use clock::{Clock, ManualClock, SystemClock};
pub use data::SessionData;
pub use error::SessionError;
#[cfg(feature = "axum")]
pub use extract::ActiveSession;
pub use id::{InvalidSessionId, SessionId};
pub use middleware::{InvalidRealm, JwtRedisSession, Refusal, RequireSession, SessionBody, Tagged};
pub use rejection::Rejection;
pub use session::{Session, SessionEntry, SessionState};
pub use sessions::Sessions;
pub use source::{InvalidTokenArg, TokenSource, TokenSources};
pub use store::memory::MemoryStore;
#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
pub use store::{RedisConfig, RedisStore};
pub use token::{
    Algorithm, ClaimTypeError, Claims, Encoding, InvalidOpaqueSize, Keyring, KeyringBuilder,
    KeyringError, NewClaims, OpaqueTokens, SigningKey, Token, TokenError, TokenFormat,
    UnknownAlgorithm, Verified, VerifyingKey,
};
