//! Keys, parsed and prepared once when the key ring is built.

use std::sync::Arc;

use super::algorithm::{Algorithm, Family};
use super::error::KeyringError;
use super::key::Key;
use super::key_problem::KeyProblem;
use super::{jws, key_pair, secret};
use crate::crypto::{HmacKey, PrivateKey, PublicKey, Scheme};
use crate::encoding;
use crate::token_rejection::TokenRejection;

/// Prepared key that signs.
pub(super) enum Signer {
    Hmac(Arc<HmacKey>),
    Private(PrivateKey, Scheme),
}

impl Signer {
    pub(super) fn new(algorithm: Algorithm, key: &Key) -> Result<Self, KeyringError> {
        match algorithm.family() {
            Family::Hmac(hmac) => secret::hmac_key(algorithm, hmac, key).map(Self::Hmac),
            Family::KeyPair(scheme) => {
                let public = ("PUBLIC KEY", KeyProblem::Public);
                let key = key_pair::read(algorithm, scheme, key, public, PrivateKey::new)?;
                Ok(Self::Private(key, scheme))
            }
        }
    }

    /// Returns the verifying half, after a test that it accepts what this half signs.
    ///
    /// A private key whose public half does not match would otherwise be noticed at the first
    /// login only, or never.
    pub(super) fn verifier(&self, algorithm: Algorithm) -> Result<Verifier, KeyringError> {
        let failed = KeyringError::SelfTest(algorithm);
        let verifier = match self {
            Self::Hmac(key) => Verifier::Hmac(Arc::clone(key)),
            Self::Private(key, scheme) => match key.public_key(*scheme) {
                Some(key) => Verifier::Public(key),
                None => return Err(failed),
            },
        };
        let mut signed = "self-test".to_owned();
        let tested = self.sign(&mut signed).is_some_and(|()| {
            let (message, signature) = signed.split_once('.').unwrap_or_default();
            verifier.verify(message.as_bytes(), signature).is_ok()
        });
        tested.then_some(verifier).ok_or(failed)
    }

    /// Appends a dot and the signature of `text` in base64url; `None` if the library fails.
    pub(super) fn sign(&self, text: &mut String) -> Option<()> {
        match self {
            Self::Hmac(key) => jws::push_part(key.sign(text.as_bytes()), text),
            Self::Private(key, _) => jws::push_part(key.sign(text.as_bytes())?, text),
        }
        Some(())
    }
}

/// Prepared key that verifies.
pub(super) enum Verifier {
    Hmac(Arc<HmacKey>),
    Public(PublicKey),
}

/// The longest signature in bytes, rounded up to a multiple of 3: RSA of 8192 bits.
const MAX_SIGNATURE: usize = 1026;

impl Verifier {
    pub(super) fn new(algorithm: Algorithm, key: &Key) -> Result<Self, KeyringError> {
        match algorithm.family() {
            Family::Hmac(hmac) => secret::hmac_key(algorithm, hmac, key).map(Self::Hmac),
            Family::KeyPair(scheme) => {
                let private = ("PRIVATE KEY", KeyProblem::Private);
                key_pair::read(algorithm, scheme, key, private, PublicKey::new).map(Self::Public)
            }
        }
    }

    /// Checks that `signature`, in base64url, is one of `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &str) -> Result<(), TokenRejection> {
        // On the stack, so that a forged token costs no allocation.
        let mut buffer = [0; MAX_SIGNATURE];
        if signature.len() > MAX_SIGNATURE / 3 * 4 {
            return Err(TokenRejection::Signature);
        }
        let length = encoding::decode_base64url(signature, &mut buffer);
        let signature = &buffer[..length.ok_or(TokenRejection::Malformed)?];
        let genuine = match self {
            Self::Hmac(key) => key.verify(message, signature),
            Self::Public(key) => key.verify(message, signature),
        };
        genuine.then_some(()).ok_or(TokenRejection::Signature)
    }
}
