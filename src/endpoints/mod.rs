//! Tower services for other programs: the public keys of tokens, and the state of a session.
//!
//! A gateway, or an app in another language, can check a token in two ways:
//!
//! | | [`JwksService`] (RFC 7517) | [`Introspection`] (RFC 7662) |
//! |---|---|---|
//! | the program | checks the signature and the claims itself | sends a request for each token |
//! | cost | one request per key set, then none | one request and one round trip to the store per token |
//! | tokens | JWTs of a key pair | JWTs and opaque tokens |
//! | logout, rotation, idle time | **not noticed** | noticed at once |
//!
//! **A token alone proves only that it was issued.** A program that verifies only the token accepts
//! it until its `exp`, whatever has happened to the session: after
//! [`destroy`](crate::Session::destroy), `logout` or `destroy_all`, after
//! [`rotate`](crate::Session::rotate), after the idle time has passed, and while the store is down.
//! A token has an `exp` only with an absolute lifetime; **without one it verifies until its key is
//! removed from the key ring**. There are two remedies: set
//! [`Lifetime::Both`](crate::Lifetime::Both) with a short absolute lifetime, or verify the
//! signature first and then introspect the token.
//!
//! Both are services for [`Router::route_service`], and for every other tower stack:
//!
//! ```
//! use axum::Router;
//! use jwt_redis_session::endpoints::{ClientSecrets, Introspection, JwksService};
//! use jwt_redis_session::{Algorithm, Keyring, MemoryStore, Sessions, token::Key};
//!
//! # fn doc(private_pem: &str, gateway_secret: &str) -> Result<Router, Box<dyn std::error::Error>> {
//! let keyring = Keyring::builder(Algorithm::EdDsa)
//!     .thumbprint_kids()
//!     .signing(Key::pem(private_pem))
//!     .build()?;
//! let sessions = Sessions::builder(MemoryStore::new(), keyring.clone()).build()?;
//! let secrets = ClientSecrets::new([gateway_secret])?;
//! let app = Router::new()
//!     .route_service("/.well-known/jwks.json", JwksService::new(keyring))
//!     .route_service("/introspect", Introspection::new([sessions], secrets));
//! # Ok(app)
//! # }
//! ```
//!
//! Do not put them inside [`RequireSession`](crate::RequireSession): their callers have no session.
//!
//! [`Router::route_service`]: https://docs.rs/axum/latest/axum/struct.Router.html#method.route_service

mod client_secrets;
mod introspection;
mod jwks_service;
mod token_info;

// In the order in which docs.rs lists them.
pub use jwks_service::JwksService;

pub use introspection::Introspection;

pub use token_info::TokenInfo;

pub use client_secrets::{ClientSecrets, WeakClientSecret};
