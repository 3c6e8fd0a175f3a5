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
//! # Why this crate verifies JWTs itself
//!
//! Tokens are verified with the primitives of `aws-lc-rs` instead of with `jsonwebtoken`:
//!
//! * **Strictness.** `jsonwebtoken` 11.1 ignores `crit`, `b64`, `zip` and `typ`, and keeps the last
//!   of duplicate claims. It accepts `exp` equal to now, empty secrets, and tokens without the
//!   configured audience or issuer. It has no limit on length and no clock that tests can set.
//! * **Speed.** Keys are prepared once, and claims are read in one pass. A new HS256 token is
//!   verified at least 1.6 times as fast (`cargo bench --bench token` compares both). A key ring
//!   keeps the claims of up to 1,024 tokens, so that only the times of a token that is used again
//!   are checked.
//! * **Independence.** `jsonwebtoken` panics if another crate of the application also enables its
//!   second backend. Without `jsonwebtoken`, this crate has 47 instead of 63 dependencies, and no
//!   other parser leaves copies of a private key in memory.
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
mod keyring;
mod keyring_builder;
mod new_claims;
mod numeric_date;
mod object;
mod opaque;
mod pem;
mod secret;
mod ticket;
mod token_text;
mod validation;
mod verified_tokens;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use claims::{Claims, Verified};
pub use error::{ClaimTypeError, KeyProblem, KeyringError, TokenError};
pub use format::TokenFormat;
pub use key::Key;
pub use keyring::Keyring;
pub use keyring_builder::KeyringBuilder;
pub use new_claims::NewClaims;
pub use opaque::{Encoding, InvalidOpaqueSize, OpaqueTokens};
pub use ticket::Ticket;
pub use token_text::Token;
