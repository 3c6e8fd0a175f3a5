//! Server-side sessions behind signed tokens, for tower and axum.
//!
//! The client holds a token. The session is in Redis, where the application can read, change and
//! end it at any time.
//!
//! ```
//! use axum::routing::{get, post};
//! use axum::{Json, Router};
//! use jwt_redis_session::{
//!     ActiveSession, JwtRedisSession, Keyring, MemoryStore, Session, SessionError, Sessions,
//! };
//! use serde_json::{Value, json};
//!
//! async fn login(session: Session) -> Result<Json<Value>, SessionError> {
//!     session.insert("theme", "dark")?;
//!     Ok(Json(json!({ "token": session.login("jo").await? })))
//! }
//!
//! async fn me(session: ActiveSession) -> Json<Value> {
//!     Json(session.to_json())
//! }
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
//! let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
//! let app: Router = Router::new()
//!     .route("/login", post(login))
//!     .route("/me", get(me))
//!     .layer(JwtRedisSession::new(sessions));
//! # Ok(())
//! # }
//! ```
//!
//! # Where to find what
//!
//! | task | items |
//! |---|---|
//! | Entry point: keys, store, lifetimes | [`Sessions`], [`Sessions::builder`], [`Lifetime`], [`config`] |
//! | Stores | [`RedisStore`], [`MemoryStore`], [`FileStore`](store::FileStore), [`store`] |
//! | Tokens and keys | [`Keyring`], [`Algorithm`], [`OpaqueTokens`], [`Token`], [`token`] |
//! | Layers | [`JwtRedisSession`], [`RequireSession`], [`middleware`] |
//! | The place of the token in a request | [`TokenSources`], [`TokenSource`], [`SessionCookie`] |
//! | The session of a request | [`ActiveSession`], [`Session`], [`SessionState`], [`session`] |
//! | The session as a struct | [`Typed`], [`typed`] |
//! | Login and logout | [`Session::login`], [`Session::logout`], [`Session::rotate`] |
//! | Remember me | [`Session::set_max_age`], [`SessionCookie::persistent_if_remembered`] |
//! | A recent password check (step-up) | [`AuthenticatedWithin`], [`RequireSession::authenticated_within`], [`Session::reauthenticated`] |
//! | Devices of a user | [`Session::list`], [`SessionEntry`], [`Device`](session::Device), [`max_sessions`](config::SessionsBuilder::max_sessions) |
//! | Log out everywhere | [`Session::destroy_all`], [`Session::destroy_others`], [`Sessions::destroy_everything`] |
//! | WebSockets and server-sent events | [`Session::ended`], [`Session::ticket`], [`TokenSource::WebSocketProtocol`] |
//! | Public keys and introspection for other programs | [`endpoints`] |
//! | Errors | [`SessionError`], [`TokenRejection`], [`SessionRejection`], [`error`] |
//! | Tests of handlers and stores | [`testing`] |
//! | Guides: migration, browsers, devices, operation, … | [`guide`] |
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `axum` | yes | extractors such as [`ActiveSession`] and [`Typed`], and responses for errors (needs only `axum-core`) |
//! | `redis` | yes | [`RedisStore`]: one shared connection that renews itself, and a second one for large values |
//! | `cookie` | | [`SessionCookie`]: a cookie that the layer sets and clears, for browsers |
//! | `pool` | | [`RedisStore::from_pool`], for a `deadpool_redis::Pool` that the app already has |
//! | `cluster` | | `redis-cluster://` addresses |
//! | `sentinel` | | `redis-sentinel://` addresses |
//! | `tls` | | `rediss://`, `rediss-cluster://` and `rediss-sentinel://` addresses, through rustls |
//! | `embedded` | | [`FileStore`](store::FileStore): sessions in one file, for one process without Redis |
//! | `metrics` | | counters and latencies through the `metrics` facade |
//! | `test-util` | | [`testing`]: sessions with a clock and outages for tests of handlers, a conformance suite for stores, and stores that fail on demand |
#![cfg_attr(docsrs, feature(doc_cfg))]

#[cfg(feature = "axum")]
mod axum;
mod builder;
mod clock;
mod config_error;
mod counters;
mod crypto;
mod encoding;
mod error_debug;
mod id;
mod json;
mod json_error;
mod lifecycle;
mod record;
mod retries;
mod sessions;
mod source;
mod span;
mod telemetry;
mod tickets;
mod token_rejection;
mod unsearched_body;

// In the order in which readers need them, which docs.rs keeps.
#[cfg(any(doc, doctest))]
pub mod guide;

pub mod config;

pub mod session;

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
pub mod typed;

pub mod middleware;

pub mod token;

pub mod store;

pub mod endpoints;

pub mod error;

#[cfg(any(test, feature = "test-util"))]
pub mod testing;

pub mod reexports;

pub use sessions::Sessions;

pub use lifecycle::{Lifetime, Touch};

#[doc(inline)]
pub use middleware::{JwtRedisSession, RequireSession};

#[doc(inline)]
pub use session::Session;

#[cfg(feature = "axum")]
pub use axum::{ActiveSession, AuthenticatedWithin};

#[cfg(feature = "axum")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum")))]
#[doc(inline)]
pub use typed::Typed;

#[doc(inline)]
pub use middleware::Tagged;

#[doc(inline)]
pub use session::{SessionData, SessionEnd, SessionEntry, SessionState};

pub use id::SessionId;

pub use source::{TokenSource, TokenSources};

#[cfg(feature = "cookie")]
#[cfg_attr(docsrs, doc(cfg(feature = "cookie")))]
#[doc(inline)]
pub use middleware::SessionCookie;

#[doc(inline)]
pub use token::Keyring;

#[doc(inline)]
pub use token::{Algorithm, Claims, OpaqueTokens, Token};

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
#[doc(inline)]
pub use store::RedisStore;

#[cfg(feature = "redis")]
#[cfg_attr(docsrs, doc(cfg(feature = "redis")))]
#[doc(inline)]
pub use store::RedisConfig;

pub use store::memory::MemoryStore;

#[doc(inline)]
pub use error::SessionError;

pub use token_rejection::TokenRejection;

#[doc(inline)]
pub use middleware::SessionRejection;

/// Compiles the examples of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
