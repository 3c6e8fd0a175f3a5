//! Crates whose types appear in the public API, re-exported in the versions that this crate uses.
//!
//! | crate | where its types appear |
//! |---|---|
//! | `bytes` | values of the [store contract](crate::store) |
//! | `deadpool_redis` (feature `pool`) | `RedisStore::from_pool` |
//! | `http` | the layers of [`middleware`](crate::middleware), [`SessionRejection`](crate::SessionRejection) |
//! | `redis` (feature `redis`) | `RedisStore::connection` |
//! | `serde_json` | [`SessionData`](crate::SessionData) |
//!
//! This crate also implements or requires traits of `serde`, `tower_layer`, `tower_service`,
//! `http_body`, `axum_core` and `futures_core`. Applications use them through `serde`, `tower`,
//! `hyper`, `axum` and `futures-util`.
//!
//! ```
//! use jwt_redis_session::reexports::http::StatusCode;
//! use jwt_redis_session::{SessionError, SessionRejection};
//!
//! let rejection = SessionRejection::from(&SessionError::Conflict);
//! assert_eq!(rejection.status(), StatusCode::CONFLICT);
//! ```

pub use ::bytes;
#[cfg(feature = "pool")]
pub use ::deadpool_redis;
pub use ::http;
#[cfg(feature = "redis")]
pub use ::redis;
pub use ::serde_json;
