//! Crates whose types are part of the public API, in the versions that this crate uses.
//!
//! | crate | where its types appear |
//! |---|---|
//! | `bytes` | values of the [store contract](crate::store) |
//! | `deadpool_redis` (feature `pool`) | `RedisStore::from_pool` |
//! | `http` | the layers of [`middleware`](crate::middleware), [`SessionRejection`](crate::SessionRejection) |
//! | `redis` (feature `redis`) | `RedisStore::connection` |
//! | `serde_json` | [`SessionData`](crate::SessionData) |
//!
//! Traits of `serde`, `tower_layer`, `tower_service`, `http_body` and `axum_core` are implemented
//! or required as well; applications name them through `serde`, `tower`, `hyper` and `axum`.
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
