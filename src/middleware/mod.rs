//! Tower middleware that attaches a [`Session`](crate::Session) to every request.
//!
//! - [`JwtRedisSession`] is the layer that finds, verifies and loads sessions.
//! - [`RequireSession`] is the layer that rejects requests without a session.
//!
//! Both work with axum, tonic, hyper and every other tower stack. The types of the request body,
//! the response body and the error remain those of the inner service.
//!
//! # Order of layers
//!
//! A request passes the outer layers first, a response the inner ones.
//!
//! - `RequireSession`, and every other layer that uses a session, belongs inside of
//!   `JwtRedisSession`.
//! - A `CorsLayer` belongs outside of `RequireSession`: a browser sends no token with a preflight,
//!   and hides a response without CORS headers from scripts.
//! - A trace layer that records URIs belongs inside of `JwtRedisSession`, where a token in the query
//!   has been removed.
//!
//! With axum's `Router::layer` the **last** call adds the outermost layer:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use jwt_redis_session::{JwtRedisSession, RequireSession, Sessions};
//! # use tower_http::{cors::CorsLayer, trace::TraceLayer};
//! # fn doc(sessions: Sessions) -> Router {
//! Router::new()
//!     .route("/me", get(async || "hello"))
//!     .layer(RequireSession::new())            // 4th: answers 401 without a session
//!     .layer(TraceLayer::new_for_http())       // 3rd: records URIs without tokens
//!     .layer(JwtRedisSession::new(sessions))   // 2nd: attaches the session
//!     .layer(CorsLayer::permissive())          // 1st: answers preflights
//! # }
//! ```
//!
//! With `ServiceBuilder` and in tuples the **first** one is the outermost:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use jwt_redis_session::{JwtRedisSession, RequireSession, Sessions};
//! # use tower::ServiceBuilder;
//! # use tower_http::cors::CorsLayer;
//! # fn doc(sessions: Sessions) -> Router {
//! let layers = ServiceBuilder::new()
//!     .layer(CorsLayer::permissive())          // 1st: answers preflights
//!     .layer(JwtRedisSession::new(sessions))   // 2nd: attaches the session
//!     .layer(RequireSession::new());           // 3rd: answers 401 without a session
//! Router::new().route("/me", get(async || "hello")).layer(layers)
//! # }
//! ```
//!
//! axum adds a layer to the routes that exist when `layer` is called. Routes and fallbacks that
//! are added later have no session, and answer 500 if they need one.
//!
//! # Request bodies
//!
//! By default a token may be in a JSON or form body. The layer then needs to restore what it has
//! read, so the body must implement [`ReplayBody`], as axum's `Body` and the boxed and full bodies
//! of `http_body_util` do. For all other types there are three ways:
//!
//! - [`without_body`](JwtRedisSession::without_body) or
//!   [`headers_only`](JwtRedisSession::headers_only): no body is read, so every type works. gRPC
//!   services use this.
//! - [`SessionBody::wrap`] outside of the layer, for example with hyper:
//!   `.map_request(SessionBody::wrap)`.
//! - `MapRequestBodyLayer::new(Body::new)` of tower-http, which makes an axum `Body`. It is needed
//!   where an outer layer in the *same* `ServiceBuilder` or tuple changes the type, as
//!   `RequestBodyLimitLayer` and `RequestDecompressionLayer` do:
//!
//! ```
//! # use axum::{Router, body::Body, routing::get};
//! # use jwt_redis_session::{JwtRedisSession, Sessions};
//! # use tower::ServiceBuilder;
//! # use tower_http::{limit::RequestBodyLimitLayer, map_request_body::MapRequestBodyLayer};
//! # fn doc(sessions: Sessions) -> Router {
//! let layers = ServiceBuilder::new()
//!     .layer(RequestBodyLimitLayer::new(1_000_000))
//!     .layer(MapRequestBodyLayer::new(Body::new))
//!     .layer(JwtRedisSession::new(sessions));
//! Router::new().route("/me", get(async || "hello")).layer(layers)
//! # }
//! ```

mod body;
mod future;
mod layer;
mod lazy_session;
mod read_body;
mod replay_body;
mod require;
mod service;
mod session_rejection;
mod settings;
mod slot;
mod tagged;
mod vary;

pub use body::SessionBody;
pub use future::ResponseFuture;
pub use layer::JwtRedisSession;
pub use lazy_session::LazySession;
pub use replay_body::ReplayBody;
pub use require::{
    EmptyBody, JsonBody, RequireFuture, RequireSession, RequireSessionService, Respond,
};
pub use service::JwtRedisSessionService;
pub use session_rejection::{InvalidRealm, SessionRejection};
pub use tagged::{LazyTagged, Tagged};

pub use crate::source::{Anywhere, InHead, InvalidTokenArg};
pub use crate::unsearched_body::UnsearchedBody;
