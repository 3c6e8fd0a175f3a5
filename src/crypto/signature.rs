//! Signatures of key pairs: RSA, ECDSA and Ed25519.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair, ParsedPublicKey};
use aws_lc_rs::signature::{EcdsaSigningAlgorithm, RsaEncoding, RsaKeyPair, VerificationAlgorithm};

use super::hash::Hash;

/// How a key pair signs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash),
    EcdsaP256,
    EcdsaP384,
    Ed25519,
}

/// Private half of a key pair, parsed once.
pub(crate) enum PrivateKey {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Parses PKCS#8 in DER, for RSA also PKCS#1; `None` if it is not a valid key for `scheme`.
    pub(crate) fn new(scheme: Scheme, der: &[u8]) -> Option<Self> {
        match scheme {
            Scheme::EcdsaP256 => ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, der),
            Scheme::EcdsaP384 => ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, der),
            Scheme::Ed25519 => Ed25519KeyPair::from_pkcs8(der).ok().map(Self::Ed25519),
            Scheme::RsaPkcs1(_) | Scheme::RsaPss(_) => {
                let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
                Some(Self::Rsa(key.ok()?, rsa_encoding(scheme)?))
            }
        }
    }

    /// Returns the public half.
    pub(crate) fn public_key(&self, scheme: Scheme) -> Option<PublicKey> {
        let bytes = match self {
            Self::Rsa(key, _) => key.public_key().as_ref(),
            Self::Ecdsa(key) => key.public_key().as_ref(),
            Self::Ed25519(key) => key.public_key().as_ref(),
        };
        PublicKey::new(scheme, bytes)
    }

    /// Signs `message`; `None` if the library fails.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(*encoding, &random, message, &mut signature).ok()?;
                Some(signature)
            }
            Self::Ecdsa(key) => Some(key.sign(&random, message).ok()?.as_ref().to_vec()),
            Self::Ed25519(key) => Some(key.try_sign(message).ok()?.as_ref().to_vec()),
        }
    }
}

/// Public half of a key pair, parsed once.
pub(crate) struct PublicKey(ParsedPublicKey);

impl PublicKey {
    /// Parses SPKI in DER, for RSA also PKCS#1; `None` if it is not a valid key for `scheme`.
    pub(crate) fn new(scheme: Scheme, der: &[u8]) -> Option<Self> {
        ParsedPublicKey::new(verification(scheme), der)
            .ok()
            .map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}

fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, der: &[u8]) -> Option<PrivateKey> {
    let key = EcdsaKeyPair::from_pkcs8(algorithm, der).ok()?;
    Some(PrivateKey::Ecdsa(key))
}

fn rsa_encoding(scheme: Scheme) -> Option<&'static dyn RsaEncoding> {
    Some(match scheme {
        Scheme::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_SHA256,
        Scheme::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_SHA384,
        Scheme::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_SHA512,
        Scheme::RsaPss(Hash::Sha256) => &signature::RSA_PSS_SHA256,
        Scheme::RsaPss(Hash::Sha384) => &signature::RSA_PSS_SHA384,
        Scheme::RsaPss(Hash::Sha512) => &signature::RSA_PSS_SHA512,
        Scheme::EcdsaP256 | Scheme::EcdsaP384 | Scheme::Ed25519 => return None,
    })
}

fn verification(scheme: Scheme) -> &'static dyn VerificationAlgorithm {
    match scheme {
        Scheme::RsaPkcs1(Hash::Sha256) => &signature::RSA_PKCS1_2048_8192_SHA256,
        Scheme::RsaPkcs1(Hash::Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        Scheme::RsaPkcs1(Hash::Sha512) => &signature::RSA_PKCS1_2048_8192_SHA512,
        Scheme::RsaPss(Hash::Sha256) => &signature::RSA_PSS_2048_8192_SHA256,
        Scheme::RsaPss(Hash::Sha384) => &signature::RSA_PSS_2048_8192_SHA384,
        Scheme::RsaPss(Hash::Sha512) => &signature::RSA_PSS_2048_8192_SHA512,
        Scheme::EcdsaP256 => &signature::ECDSA_P256_SHA256_FIXED,
        Scheme::EcdsaP384 => &signature::ECDSA_P384_SHA384_FIXED,
        Scheme::Ed25519 => &signature::ED25519,
    }
}
