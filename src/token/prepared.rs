//! Keys made ready once, so that each token costs only its own bytes.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::{Algorithm, Family};
use super::asymmetric::{PrivateKey, PublicKey};
use super::error::KeyringError;
use super::key::{Key, Material};
use super::secret;
use crate::crypto::{self, Hash, HmacKey};
use crate::token_rejection::TokenRejection;

/// Signs.
pub(super) enum Signer {
    Hmac(Arc<HmacKey>),
    Private(PrivateKey),
}

impl Signer {
    pub(super) fn new(algorithm: Algorithm, key: &Key) -> Result<Self, KeyringError> {
        match algorithm.family() {
            Family::Hmac(hash) => hmac(algorithm, hash, key).map(Self::Hmac),
            _ => PrivateKey::read(algorithm, &key.material).map(Self::Private),
        }
    }

    /// Makes the other half, and checks that it accepts what this half signs.
    pub(super) fn verifier(&self, algorithm: Algorithm) -> Result<Verifier, KeyringError> {
        let verifier = match self {
            Self::Hmac(key) => Verifier::Hmac(Arc::clone(key)),
            Self::Private(key) => Verifier::Public(key.public_key(algorithm)?),
        };
        let mut signature = String::new();
        let tested = self
            .sign(b"self-test", &mut signature)
            .is_some_and(|()| verifier.verify(b"self-test", &signature).is_ok());
        tested
            .then_some(verifier)
            .ok_or(KeyringError::SelfTest(algorithm))
    }

    /// Appends the signature of `message` to `out` in base64url; `None` if the library fails.
    pub(super) fn sign(&self, message: &[u8], out: &mut String) -> Option<()> {
        match self {
            Self::Hmac(key) => {
                URL_SAFE_NO_PAD.encode_string(crypto::hmac_sign(key, message), out);
            }
            Self::Private(key) => URL_SAFE_NO_PAD.encode_string(key.sign(message)?, out),
        }
        Some(())
    }
}

/// Verifies.
pub(super) enum Verifier {
    Hmac(Arc<HmacKey>),
    Public(PublicKey),
}

impl Verifier {
    pub(super) fn new(algorithm: Algorithm, key: &Key) -> Result<Self, KeyringError> {
        match algorithm.family() {
            Family::Hmac(hash) => hmac(algorithm, hash, key).map(Self::Hmac),
            _ => PublicKey::read(algorithm, &key.material).map(Self::Public),
        }
    }

    /// Accepts `signature`, in base64url, if it is one of `message`.
    pub(super) fn verify(&self, message: &[u8], signature: &str) -> Result<(), TokenRejection> {
        let genuine = match self {
            Self::Hmac(key) => {
                // The longest tag has 64 bytes; the decoder wants room for whole groups of three.
                let mut buffer = [0; 96];
                if signature.len() > 86 {
                    return Err(TokenRejection::Signature);
                }
                let length = URL_SAFE_NO_PAD
                    .decode_slice(signature, &mut buffer)
                    .map_err(|_| TokenRejection::Malformed)?;
                crypto::hmac_verify(key, message, &buffer[..length])
            }
            Self::Public(key) => {
                let signature = URL_SAFE_NO_PAD
                    .decode(signature)
                    .map_err(|_| TokenRejection::Malformed)?;
                key.verify(message, &signature)
            }
        };
        genuine.then_some(()).ok_or(TokenRejection::Signature)
    }
}

fn hmac(algorithm: Algorithm, hash: Hash, key: &Key) -> Result<Arc<HmacKey>, KeyringError> {
    let bytes = match &key.material {
        Material::Secret(bytes) => bytes,
        Material::Pem(_) | Material::Der(_) => return Err(KeyringError::WrongKind(algorithm)),
    };
    secret::check_not_a_key(bytes)?;
    if !key.weak_allowed || bytes.is_empty() {
        secret::check_strength(algorithm, hash, bytes)?;
    }
    Ok(Arc::new(crypto::hmac_key(hash, bytes)))
}
