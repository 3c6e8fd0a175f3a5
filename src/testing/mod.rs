//! Test utilities: sessions for tests of handlers, a conformance suite for stores, and stores that
//! fail on demand.
//!
//! Enabled by the feature `test-util`, which belongs in `dev-dependencies`.
//!
//! * [`TestSessions`] keeps sessions in memory; the test controls its time and its outages.
//!   [`TestSession`] is one session, of `TestSessions` or of any other store. It builds requests
//!   that carry its token.
//! * [`conformance`] checks that a [`Store`](crate::store::Store) keeps its contract.
//! * [`Faulty`] wraps any store, including a Redis store. [`Faults`] switches its outages, failing
//!   steps, lost replies and delays on and off.
//! * [`Hooked`] wraps any store and passes every [`Step`] through a [`Hook`], which can count,
//!   trace, delay or fail it.
//!
//! # A test of a handler
//!
//! The handler is called with a session, during an outage, and with an expired session:
//!
//! ```
//! use std::time::Duration;
//! use axum::Router;
//! use axum::body::Body;
//! use axum::routing::get;
//! use http::Method;
//! use jwt_redis_session::testing::TestSessions;
//! use jwt_redis_session::{ActiveSession, JwtRedisSession, SessionError, Sessions};
//! use serde_json::json;
//! use tower::ServiceExt as _;
//!
//! async fn me(session: ActiveSession) -> Result<String, SessionError> {
//!     session.insert("seen", true)?;
//!     session.update().await?;
//!     Ok(session.get("name")?.unwrap_or_default())
//! }
//!
//! fn app(sessions: Sessions) -> Router {
//!     Router::new().route("/me", get(me)).layer(JwtRedisSession::new(sessions))
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let test = TestSessions::new();
//! let app = app(test.sessions());
//! let jo = test.session("jo", json!({ "name": "Jo" })).await;
//! let status = async || {
//!     let request = jo.request(Method::GET, "/me").body(Body::empty()).unwrap();
//!     app.clone().oneshot(request).await.unwrap().status()
//! };
//!
//! assert_eq!(status().await, 200);
//! jo.reload().await?;
//! assert_eq!(jo.get("seen")?, Some(true));
//!
//! test.start_outage();
//! assert_eq!(status().await, 503);
//! test.end_outage();
//!
//! test.advance(Duration::from_secs(86_400));
//! assert_eq!(status().await, 401);
//! # Ok(())
//! # }
//! ```
//!
//! # Other faults
//!
//! ```
//! use jwt_redis_session::store::StoreErrorKind;
//! use jwt_redis_session::testing::{Faults, Step};
//! use jwt_redis_session::{Keyring, MemoryStore, SessionError, Sessions};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let faults = Faults::new();
//! let keys = Keyring::hs256("a-secret-of-at-least-32-bytes-0123456789")?;
//! let sessions = Sessions::builder(faults.wrap(MemoryStore::new()), keys).build()?;
//! let token = sessions.new_session().create().await?;
//!
//! faults.fail_with(StoreErrorKind::Connection);
//! let outage = sessions.open(token.as_str()).await;
//! assert!(matches!(outage, Err(SessionError::Unavailable(_))));
//! faults.heal();
//!
//! // The reply to a write is lost: the session is destroyed, but the caller receives an error.
//! let session = sessions.open(token.as_str()).await?;
//! faults.on(Step::Delete).lose_replies(1);
//! assert!(session.destroy().await.is_err());
//! assert!(matches!(sessions.open(token.as_str()).await, Err(SessionError::Rejected(_))));
//! # Ok(())
//! # }
//! ```

pub mod conformance;
mod faulty;
mod hooked;
mod test_session;
mod test_sessions;
#[cfg(test)]
mod tests;

// In the order in which docs.rs lists them.
pub use test_sessions::TestSessions;

pub use test_session::TestSession;

pub use faulty::{Faults, Faulty};

pub use hooked::{Hook, Hooked, Step};
