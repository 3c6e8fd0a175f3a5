//! Cryptographic primitives: SHA-256, HMAC, signatures, random bytes.
//!
//! The only module that names `aws-lc-rs` and `getrandom`. Session ids and opaque tokens come
//! from `getrandom`, straight from the operating system, so that no generator state in the
//! process can reveal them; `aws-lc-rs` draws the random numbers of signatures itself.

mod hash;
mod random;
mod signature;

pub(crate) use hash::{equal, sha256};
pub(crate) use random::fill_random;
pub(crate) use signature::{Scheme, SigningKey, VerifyingKey};
