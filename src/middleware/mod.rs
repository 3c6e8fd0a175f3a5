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
//! # Browsers
//!
//! | application | token | needs |
//! |---|---|---|
//! | pages and API of one origin | [`SessionCookie`] | protection against cross-site requests |
//! | pages of another origin | header | CORS |
//! | pages of another origin | [`SessionCookie`] | both |
//!
//! ## A cookie and cross-site requests
//!
//! A browser sends a cookie also if a page of another site makes it send the request (CSRF). So
//! [`JwtRedisSession::cookie`] takes a second layer, which rejects such requests. `CsrfLayer` of
//! `tower_http` answers 403 to them, by the headers `Sec-Fetch-Site` and `Origin`:
//!
//! ```
//! # use axum::{Router, routing::post};
//! # use jwt_redis_session::{JwtRedisSession, SessionCookie, Sessions};
//! # use tower_http::csrf::CsrfLayer;
//! # fn doc(sessions: Sessions) -> Result<Router, Box<dyn std::error::Error>> {
//! let layers = JwtRedisSession::new(sessions)
//!     .headers_only()
//!     .cookie(SessionCookie::new("session"), CsrfLayer::new())?;
//! Ok(Router::new().route("/count", post(async || "counted")).layer(layers))
//! # }
//! ```
//!
//! - A GET request must not change anything: `CsrfLayer` passes GET, HEAD and OPTIONS.
//! - The login needs the protection too. Without it, another site can log a user into a session of
//!   the attacker.
//! - A WebSocket handshake is a GET request. Check its `Origin` in the handler: `SameSite=Lax` does
//!   not stop other hosts of the same site.
//! - A proxy must forward `Host` and `Origin` unchanged.
//! - Programs other than browsers send neither header and pass.
//!
//! `examples/cookie.rs` is a complete application.
//!
//! ## Pages of another origin
//!
//! A page sends the token in a header, and the responses need CORS headers. The `CorsLayer` is the
//! outermost layer, so that it answers preflights and adds its headers to a 401 and a 403 as well:
//!
//! ```
//! # use std::time::Duration;
//! # use axum::{Router, routing::get};
//! # use http::header::{AUTHORIZATION, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
//! # use http::{HeaderValue, Method};
//! # use jwt_redis_session::{JwtRedisSession, Sessions};
//! # use tower_http::cors::CorsLayer;
//! # fn doc(sessions: Sessions) -> Router {
//! let cors = CorsLayer::new()
//!     .allow_origin(HeaderValue::from_static("https://app.example"))
//!     .allow_methods([Method::GET, Method::POST])
//!     .allow_headers([AUTHORIZATION, CONTENT_TYPE])          // what the page may send
//!     .expose_headers([WWW_AUTHENTICATE, RETRY_AFTER])       // what the page may read
//!     .max_age(Duration::from_secs(3600));                   // of a preflight
//! Router::new()
//!     .route("/me", get(async || "hello"))
//!     .layer(JwtRedisSession::new(sessions).headers_only())
//!     .layer(cors)
//! # }
//! ```
//!
//! `examples/cors.rs` is a complete application. With a cookie instead of the header, the page
//! sends `credentials: "include"`, and both layers trust its origin:
//!
//! ```
//! # use axum::{Router, routing::get};
//! # use http::HeaderValue;
//! # use http::header::CONTENT_TYPE;
//! # use jwt_redis_session::{JwtRedisSession, SessionCookie, Sessions};
//! # use tower_http::{cors::CorsLayer, csrf::CsrfLayer};
//! # fn doc(sessions: Sessions) -> Result<Router, Box<dyn std::error::Error>> {
//! const PAGES: &str = "https://app.example.com"; // The API is https://api.example.com.
//! let csrf = CsrfLayer::new().add_trusted_origin(PAGES)?;
//! let cors = CorsLayer::new()
//!     .allow_origin(HeaderValue::from_static(PAGES))
//!     .allow_headers([CONTENT_TYPE])
//!     .allow_credentials(true);
//! let layers = JwtRedisSession::new(sessions)
//!     .headers_only()
//!     .cookie(SessionCookie::new("session"), csrf)?;
//! Ok(Router::new().route("/me", get(async || "hello")).layer(layers).layer(cors))
//! # }
//! ```
//!
//! If the pages are on another *site*, the cookie needs
//! [`SameSite::None`], and many browsers block it anyway. Use the header there.
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
#[cfg(feature = "cookie")]
mod cookie;
mod cookie_use;
mod credential;
mod future;
mod gathered;
mod lazy_session;
mod proxy_node;
mod read_body;
mod replay_body;
mod require;
mod service;
mod session_rejection;
mod settings;
mod slot;
mod tagged;
mod vary;

// In the order in which rustdoc shows the methods of `JwtRedisSession`.
mod layer;

#[cfg(feature = "cookie")]
mod cookie_layer;

// In the order in which docs.rs lists them.
pub use layer::JwtRedisSession;

pub use require::RequireSession;

pub use session_rejection::SessionRejection;

#[cfg(feature = "cookie")]
#[cfg_attr(docsrs, doc(cfg(feature = "cookie")))]
pub use cookie::{SameSite, SessionCookie};

#[cfg(feature = "cookie")]
#[cfg_attr(docsrs, doc(cfg(feature = "cookie")))]
pub use cookie_layer::CsrfCheckedElsewhere;

pub use lazy_session::LazySession;

pub use tagged::{LazyTagged, Tagged};

pub use client_ip::ClientIp;

pub use crate::source::{Anywhere, InHead};

pub use body::SessionBody;

pub use replay_body::ReplayBody;

pub use crate::unsearched_body::UnsearchedBody;

pub use require::{EmptyBody, JsonBody, Respond};

#[cfg(feature = "cookie")]
#[cfg_attr(docsrs, doc(cfg(feature = "cookie")))]
pub use cookie::InvalidCookie;

pub use session_rejection::InvalidRealm;

pub use crate::source::InvalidTokenArg;

pub use service::JwtRedisSessionService;

pub use future::ResponseFuture;

pub use require::{RequireFuture, RequireSessionService};

pub(crate) use read_body::{ReadLimits, read_all};
