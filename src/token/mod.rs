//! Signed tokens (JWT) with their key rings, and opaque tokens.
//!
//! A token identifies a session; its data is in the store. There are two formats:
//!
//! * **JWT**: signed by a [`Keyring`]. It contains the session id as `jti`, the owner as `sub`, the
//!   absolute end as `exp`, and claims of the application.
//! * **Opaque** ([`OpaqueTokens`]): random text. The session id is its SHA-256 hash.
//!
//! Most applications need only [`Keyring::hs256`]. This module has the rest: keys in PEM and DER,
//! key rotation, claims, and the errors.
//!
//! ```
//! use std::time::SystemTime;
//! use jwt_redis_session::token::{Key, NewClaims};
//! use jwt_redis_session::{Algorithm, Keyring, SessionId};
//!
//! # let private_pem = include_str!("../../tests/keys/p256.pem");
//! # let previous_pem = include_str!("../../tests/keys/p256.pub.pem");
//! // Signs with the new key, and still accepts the tokens of the previous one.
//! let keyring = Keyring::builder(Algorithm::Es256)
//!     .signing(Key::pem(private_pem).kid("2026-11"))
//!     .previous(Key::pem(previous_pem).kid("2026-05"))
//!     .build()?;
//!
//! let (id, now) = (SessionId::random(), SystemTime::now());
//! let token = keyring.sign(&id, &NewClaims::at(now).subject("jo"))?;
//! let claims = keyring.verify(token.as_str(), now).unwrap();
//! assert_eq!(claims.id(), &id);
//! assert_eq!(claims.subject().as_deref(), Some("jo"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Key rotation
//!
//! A key is replaced in three steps, each on all instances before the next one:
//!
//! 1. Add the new key as [`previous`](KeyringBuilder::previous): it verifies, and signs nothing yet.
//!    If other programs verify tokens with the [JWK Set](Keyring::jwks), wait until their caches have
//!    it.
//! 2. Sign with the new key, and make the old one `previous`.
//! 3. Remove the old key when the last session whose token it signed has ended: after the absolute
//!    lifetime. Without one, a session that is used does not end; [`rotate`](crate::Session::rotate)
//!    moves it to the new key, for example at the next login.
//!
//! No step needs a restart: [`Keyring::reload`] replaces the keys in all clones of a key ring, and
//! with them in all [`Sessions`](crate::Sessions), layers and services. It refuses keys with which
//! the tokens that are signed now would be rejected. A program reads its keys in a function of its
//! own, at the start and again when the files have changed, for example on SIGHUP:
//!
//! ```no_run
//! use std::error::Error;
//! use std::fs;
//! use jwt_redis_session::{Algorithm, Keyring, token::Key};
//!
//! fn load() -> Result<Keyring, Box<dyn Error>> {
//!     let mut keys = Keyring::builder(Algorithm::EdDsa)
//!         .thumbprint_kids()
//!         .signing(Key::pem(fs::read("keys/signing.pem")?));
//!     for file in fs::read_dir("keys/previous")? {
//!         keys = keys.previous(Key::pem(fs::read(file?.path())?));
//!     }
//!     Ok(keys.build()?.issuer("https://shop.example"))
//! }
//!
//! # #[cfg(unix)]
//! async fn follow(keyring: Keyring) -> Result<(), Box<dyn Error>> {
//!     use tokio::signal::unix::{SignalKind, signal};
//!     let mut hangups = signal(SignalKind::hangup())?;
//!     while hangups.recv().await.is_some() {
//!         // A file that cannot be read or used leaves the keys as they are.
//!         match load().and_then(|next| Ok(keyring.reload(&next)?)) {
//!             Ok(()) => tracing::info!("the keys were read again"),
//!             Err(error) => tracing::error!(%error, "the old keys stay in use"),
//!         }
//!     }
//!     Ok(())
//! }
//! ```
//!
//! A key that has leaked is removed with [`Keyring::replace`], which logs out everyone whose token
//! it signed.
//!
//! # Why this crate verifies JWTs itself
//!
//! Tokens are verified with the primitives of `aws-lc-rs` instead of with `jsonwebtoken`, on which
//! this crate does not depend:
//!
//! * **Strictness.** `jsonwebtoken` 12 ignores `zip` and `typ`. It accepts `exp` equal to now, and
//!   tokens without the configured audience or issuer unless these claims are listed as required.
//!   It has no limit on length and no clock that tests can set.
//! * **Speed.** Keys are prepared once, and claims are read in one pass. A new HS256 token is
//!   verified at least 1.6 times as fast (`cargo bench --bench token` compares both). A key ring
//!   keeps the claims of up to 1,024 tokens, so that only the times of a token that is used again
//!   are checked.
//! * **Independence.** `jsonwebtoken` panics if another crate of the application also enables its
//!   second backend. Without `jsonwebtoken`, this crate has fewer dependencies, and no other parser
//!   leaves copies of a private key in memory.
//!
//! Tests use `jsonwebtoken` to forge tokens, and to verify the tokens of this crate.

mod algorithm;
mod claims;
mod der;
mod error;
mod format;
mod header;
mod jwk;
mod key;
mod key_pair;
mod keyring_builder;
mod new_claims;
mod numeric_date;
mod object;
mod opaque;
mod pem;
mod ring;
mod secret;
mod ticket;
mod token_text;
mod validation;
mod verified_tokens;

// After the builder, so that rustdoc shows the constructors of `Keyring` first.
mod keyring;

#[cfg(test)]
mod tests;

// In the order in which docs.rs lists them.
pub use keyring::Keyring;

pub use keyring_builder::KeyringBuilder;

pub use key::Key;

pub use algorithm::{Algorithm, UnknownAlgorithm};

pub use opaque::{Encoding, OpaqueTokens};

pub use format::TokenFormat;

pub use token_text::Token;

pub use ticket::Ticket;

pub use claims::{Claims, Verified};

pub use new_claims::NewClaims;

pub use error::{ClaimTypeError, KeyProblem, KeyringError, TokenError};

pub use opaque::InvalidOpaqueSize;

pub(crate) use new_claims::AUTH_TIME;
