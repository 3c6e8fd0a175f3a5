//! Is the token ours, and in force?

mod algorithm;
mod asymmetric;
mod builder;
mod claims;
mod compact;
mod der;
mod error;
mod format;
mod header;
mod key;
mod keyring;
mod mint;
mod numeric_date;
mod object;
mod opaque;
mod policy;
mod prepared;
mod registered;
mod secret;
pub(crate) mod text;
mod verified;

#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, UnknownAlgorithm};
pub use builder::KeyringBuilder;
pub use claims::Claims;
pub use error::{ClaimTypeError, KeyringError, TokenError};
pub use format::TokenFormat;
pub use key::{SigningKey, VerifyingKey};
pub use keyring::Keyring;
pub use mint::NewClaims;
pub use opaque::{Encoding, InvalidOpaqueSize, OpaqueTokens};
pub use text::Token;
pub use verified::Verified;
