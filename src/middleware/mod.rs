//! Tower middleware that attaches a [`Session`](crate::Session) to every request.
//!
//! - [`JwtRedisSession`] is the layer that finds and verifies the token and loads the session.
//! - [`RequireSession`] is the layer that rejects requests without a session.
//!
//! Both work with axum, tonic, hyper and every other tower stack. The types of the request body,
//! the response body and the error remain those of the inner service.
//!
//! # Order of layers
//!
//! A request passes the outer layers first; a response passes the inner layers first.
//!
//! - Put `RequireSession`, and every other layer that uses a session, inside `JwtRedisSession`.
//! - Put a `CorsLayer` outside `RequireSession`. A browser sends no token with a preflight, and
//!   hides a response without CORS headers from scripts.
//! - Put a trace layer that records URIs inside `JwtRedisSession`, which removes a token from the
//!   query.
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
//! axum adds a layer only to the routes that exist when `layer` is called. Routes and fallbacks
//! that are added later have no session; they answer 500 if they need one.
//!
//! # Request bodies
//!
//! By default the layer also looks for a token in a JSON or form body. It restores the body for the
//! inner service, so the type of the body must implement [`ReplayBody`]. axum's `Body` and the
//! boxed, full and empty bodies of `http_body_util` do. For all other types there are three ways:
//!
//! - Call [`without_body`](JwtRedisSession::without_body) or
//!   [`headers_only`](JwtRedisSession::headers_only). No body is read, so every type works. gRPC
//!   services use this.
//! - Wrap the body outside the layer with [`SessionBody::wrap`], for example with hyper:
//!   `.map_request(SessionBody::wrap)`.
//! - Convert the body to an axum `Body` with tower-http's `MapRequestBodyLayer::new(Body::new)`.
//!   This is needed where an outer layer in the *same* `ServiceBuilder` or tuple changes the type,
//!   as `RequestBodyLimitLayer` and `RequestDecompressionLayer` do:
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
mod client_ip;
mod future;
mod gathered;
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
pub use client_ip::ClientIp;
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
