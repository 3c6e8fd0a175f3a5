//! Signatures of key pairs: RSA, ECDSA and Ed25519.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED,
    ECDSA_P384_SHA384_FIXED_SIGNING, ED25519, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384, RSA_PSS_2048_8192_SHA512, RSA_PSS_SHA256,
    RSA_PSS_SHA384, RSA_PSS_SHA512, RsaEncoding, RsaKeyPair, VerificationAlgorithm,
};

/// How a key pair signs and verifies.
#[derive(Clone, Copy)]
pub(crate) enum Scheme {
    Rsa(&'static dyn RsaEncoding, &'static dyn VerificationAlgorithm),
    Ecdsa(
        &'static EcdsaSigningAlgorithm,
        &'static dyn VerificationAlgorithm,
    ),
    Ed25519,
}

impl Scheme {
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

/// Private half of a key pair, parsed once.
pub(crate) enum PrivateKey {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// Parses PKCS#8 in DER, for RSA also PKCS#1; `None` if it is not a valid key for `scheme`.
    pub(crate) fn new(scheme: Scheme, der: &[u8]) -> Option<Self> {
        Some(match scheme {
            Scheme::Rsa(encoding, _) => {
                let key = RsaKeyPair::from_pkcs8(der).or_else(|_| RsaKeyPair::from_der(der));
                Self::Rsa(key.ok()?, encoding)
            }
            Scheme::Ecdsa(signing, _) => Self::Ecdsa(EcdsaKeyPair::from_pkcs8(signing, der).ok()?),
            Scheme::Ed25519 => Self::Ed25519(Ed25519KeyPair::from_pkcs8(der).ok()?),
        })
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
        let verification = match scheme {
            Scheme::Rsa(_, verification) | Scheme::Ecdsa(_, verification) => verification,
            Scheme::Ed25519 => &ED25519,
        };
        ParsedPublicKey::new(verification, der).ok().map(Self)
    }

    pub(crate) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        self.0.verify_sig(message, signature).is_ok()
    }
}
