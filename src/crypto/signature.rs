//! Signatures: HMAC (RFC 2104), RSA, ECDSA and Ed25519.

use std::sync::Arc;

use aws_lc_rs::encoding::{AsDer as _, PublicKeyX509Der};
use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};

type Verification = &'static dyn VerificationAlgorithm;

/// How a key signs and verifies.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Hmac(hmac::Algorithm),
    Rsa(&'static dyn RsaEncoding, Verification),
    Ecdsa(&'static EcdsaSigningAlgorithm, Verification),
    Ed25519,
}

impl Scheme {
    pub(crate) const HS256: Self = Self::Hmac(hmac::HMAC_SHA256);
    pub(crate) const HS384: Self = Self::Hmac(hmac::HMAC_SHA384);
    pub(crate) const HS512: Self = Self::Hmac(hmac::HMAC_SHA512);
    pub(crate) const RS256: Self = Self::Rsa(&RSA_PKCS1_SHA256, &RSA_PKCS1_2048_8192_SHA256);
    pub(crate) const RS384: Self = Self::Rsa(&RSA_PKCS1_SHA384, &RSA_PKCS1_2048_8192_SHA384);
    pub(crate) const RS512: Self = Self::Rsa(&RSA_PKCS1_SHA512, &RSA_PKCS1_2048_8192_SHA512);
    pub(crate) const PS256: Self = Self::Rsa(&RSA_PSS_SHA256, &RSA_PSS_2048_8192_SHA256);
    pub(crate) const PS384: Self = Self::Rsa(&RSA_PSS_SHA384, &RSA_PSS_2048_8192_SHA384);
    pub(crate) const PS512: Self = Self::Rsa(&RSA_PSS_SHA512, &RSA_PSS_2048_8192_SHA512);
    pub(crate) const ES256: Self =
        Self::Ecdsa(&ECDSA_P256_SHA256_FIXED_SIGNING, &ECDSA_P256_SHA256_FIXED);
    pub(crate) const ES384: Self =
        Self::Ecdsa(&ECDSA_P384_SHA384_FIXED_SIGNING, &ECDSA_P384_SHA384_FIXED);
}

/// Key that signs, prepared once.
pub(crate) enum SigningKey {
    Hmac(Arc<hmac::Key>),
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Prepares an HMAC secret, of which only the hash states are kept, or parses PKCS#8 in DER,
    /// for RSA also PKCS#1; `None` if it is not a valid key for `scheme`.
    pub(crate) fn new(scheme: Scheme, key: &[u8]) -> Option<Self> {
        Some(match scheme {
            Scheme::Hmac(algorithm) => Self::Hmac(hmac::Key::new(algorithm, key).into()),
            Scheme::Rsa(encoding, _) => {
                let key = RsaKeyPair::from_pkcs8(key).or_else(|_| RsaKeyPair::from_der(key));
                Self::Rsa(key.ok()?, encoding)
            }
            Scheme::Ecdsa(signing, _) => Self::Ecdsa(EcdsaKeyPair::from_pkcs8(signing, key).ok()?),
            Scheme::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(key).ok()?),
        })
    }

    /// Returns the half that verifies; `None` if it rejects what this half signs.
    ///
    /// A private key whose public half does not match would otherwise be noticed at the first
    /// login only, or never.
    pub(crate) fn verifying_key(&self, scheme: Scheme) -> Option<VerifyingKey> {
        let verifying = match self {
            Self::Hmac(key) => VerifyingKey::Hmac(Arc::clone(key)),
            Self::Rsa(key, _) => VerifyingKey::new(scheme, key.public_key().as_ref())?,
            Self::Ecdsa(key) => VerifyingKey::new(scheme, key.public_key().as_ref())?,
            Self::Ed25519(key) => VerifyingKey::new(scheme, key.public_key().as_ref())?,
        };
        let signature = self.sign(b"self-test")?;
        let works = verifying.verify(b"self-test", &signature);
        works.then_some(verifying)
    }

    /// Signs `message`; `None` if the library fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        Some(match self {
            Self::Hmac(key) => hmac::sign(key, message).as_ref().to_vec(),
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &random, message, &mut signature).ok()?;
                signature
            }
            Self::Ecdsa(key) => key.sign(&random, message).ok()?.as_ref().to_vec(),
            Self::Ed25519(key) => key.try_sign(message).ok()?.as_ref().to_vec(),
        })
    }
}

/// Key that verifies, prepared once.
pub(crate) enum VerifyingKey {
    Hmac(Arc<hmac::Key>),
    Public(ParsedPublicKey),
}

impl VerifyingKey {
    /// Prepares an HMAC secret, or parses SPKI in DER, for RSA also PKCS#1; `None` if it is not a
    /// valid key for `scheme`.
    pub(crate) fn new(scheme: Scheme, key: &[u8]) -> Option<Self> {
        let verification = match scheme {
            Scheme::Hmac(algorithm) => {
                return Some(Self::Hmac(hmac::Key::new(algorithm, key).into()));
            }
            Scheme::Rsa(_, verification) | Scheme::Ecdsa(_, verification) => verification,
            Scheme::Ed25519 => &ED25519,
        };
        ParsedPublicKey::new(verification, key)
            .ok()
            .map(Self::Public)
    }

    /// Returns the public key as SPKI in DER; `None` for HMAC.
    pub(crate) fn spki(&self) -> Option<PublicKeyX509Der<'static>> {
        match self {
            Self::Hmac(_) => None,
            Self::Public(key) => key.as_der().ok(),
        }
    }

    /// Compares tags of HMAC in constant time.
    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        match self {
            Self::Hmac(key) => hmac::verify(key, message, signature).is_ok(),
            Self::Public(key) => key.verify_sig(message, signature).is_ok(),
        }
    }
}
