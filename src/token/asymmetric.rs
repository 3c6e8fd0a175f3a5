//! Key pairs: RSA, ECDSA and Ed25519.
//!
//! The only door to `jsonwebtoken`, and there only to its aws-lc provider by name: which provider
//! is the process' default, or whether there is one, makes no difference (it panics if some other
//! crate of the app turned the second backend on).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::jwk::EllipticCurve;
use jsonwebtoken::{Algorithm as Jwa, DecodingKey, EncodingKey};
use zeroize::Zeroizing;

use super::algorithm::{Algorithm, Curve, Family};
use super::der;
use super::error::KeyringError;
use super::key::Material;
use crate::crypto;

/// The private half of a key pair.
pub(super) struct PrivateKey {
    algorithm: Jwa,
    key: EncodingKey,
}

impl PrivateKey {
    pub(super) fn read(algorithm: Algorithm, material: &Material) -> Result<Self, KeyringError> {
        let parse = match algorithm.family() {
            Family::Rsa => EncodingKey::from_rsa_pem,
            Family::Ec(_) => EncodingKey::from_ec_pem,
            Family::Ed => EncodingKey::from_ed_pem,
            Family::Hmac(_) => return Err(KeyringError::WrongKind(algorithm)),
        };
        let labels = ["PRIVATE KEY", "RSA PRIVATE KEY"];
        let key = read_either(algorithm, material, labels, parse)?;
        Ok(Self {
            algorithm: jwa(algorithm),
            key,
        })
    }

    /// Derives the public half.
    pub(super) fn public_key(&self, algorithm: Algorithm) -> Result<PublicKey, KeyringError> {
        let (private, derive) = (self.key.as_bytes(), &DEFAULT_PROVIDER.key_utils);
        let key = match algorithm.family() {
            Family::Rsa => (derive.rsa_pub_components_from_private_key)(private)
                .map(|(n, e)| DecodingKey::from_rsa_raw_components(&n, &e)),
            Family::Ec(_) => (derive.ec_pub_components_from_private_key)(private, self.algorithm)
                .map(|(_, x, y)| DecodingKey::from_ec_der(&[&[4], &x[..], &y].concat())),
            Family::Ed => {
                (derive.ed_pub_components_from_private_key)(private, &EllipticCurve::Ed25519)
                    .map(|x| DecodingKey::from_ed_der(&x))
            }
            Family::Hmac(_) => return Err(KeyringError::WrongKind(algorithm)),
        };
        Ok(PublicKey {
            algorithm: self.algorithm,
            key: key.map_err(|_| KeyringError::InvalidKey(algorithm))?,
        })
    }

    /// Signs `message`; `None` if the library fails.
    pub(super) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        // Made per call: the library's signers are not `Sync`.
        let signer = (DEFAULT_PROVIDER.signer_factory)(&self.algorithm, &self.key).ok()?;
        signer.try_sign(message).ok()
    }
}

/// The public half of a key pair.
pub(super) struct PublicKey {
    algorithm: Jwa,
    key: DecodingKey,
}

impl PublicKey {
    pub(super) fn read(algorithm: Algorithm, material: &Material) -> Result<Self, KeyringError> {
        let parse = match algorithm.family() {
            Family::Rsa => DecodingKey::from_rsa_pem,
            Family::Ec(_) => DecodingKey::from_ec_pem,
            Family::Ed => DecodingKey::from_ed_pem,
            Family::Hmac(_) => return Err(KeyringError::WrongKind(algorithm)),
        };
        let key = read_either(algorithm, material, ["PUBLIC KEY", "RSA PUBLIC KEY"], parse)?;
        if !is_sound(algorithm, &key) {
            return Err(KeyringError::InvalidKey(algorithm));
        }
        Ok(Self {
            algorithm: jwa(algorithm),
            key,
        })
    }

    pub(super) fn verify(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        // Made per call: the library's verifiers are not `Sync`.
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm, &self.key)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

/// A key that the library would take and then fail on, token by token, is an error at once.
fn is_sound(algorithm: Algorithm, key: &DecodingKey) -> bool {
    let Ok(bytes) = key.try_get_as_bytes() else {
        return false;
    };
    match algorithm.family() {
        Family::Rsa => (DEFAULT_PROVIDER
            .key_utils
            .rsa_pub_components_from_public_key)(bytes)
        .is_ok_and(|(n, _)| (256..=1024).contains(&n.len())),
        Family::Ec(Curve::P256) => crypto::is_p256_point(bytes),
        Family::Ec(Curve::P384) => crypto::is_p384_point(bytes),
        Family::Ed => crypto::is_ed25519_point(bytes),
        Family::Hmac(_) => false,
    }
}

/// Reads PEM as it is, and DER by dressing it as PEM: the library finds out what is in a PEM,
/// but takes a DER on trust.
fn read_either<K>(
    algorithm: Algorithm,
    material: &Material,
    labels: [&str; 2],
    parse: fn(&[u8]) -> jsonwebtoken::errors::Result<K>,
) -> Result<K, KeyringError> {
    let invalid = KeyringError::InvalidKey(algorithm);
    match material {
        Material::Secret(_) => Err(KeyringError::WrongKind(algorithm)),
        // The library would take the key out of a certificate and not look at its dates.
        Material::Pem(pem) if is_certificate(pem) => Err(invalid),
        Material::Pem(pem) => parse(pem.trim_ascii()).map_err(|_| invalid),
        Material::Der(der) if der::is_certificate(der) => Err(invalid),
        Material::Der(der) => labels
            .iter()
            .find_map(|label| parse(&to_pem(label, der)).ok())
            .ok_or(invalid),
    }
}

fn is_certificate(pem: &[u8]) -> bool {
    pem.trim_ascii().starts_with(b"-----BEGIN CERTIFICATE")
}

fn to_pem(label: &str, der: &[u8]) -> Zeroizing<Vec<u8>> {
    let body = Zeroizing::new(STANDARD.encode(der));
    let body = body.as_str();
    Zeroizing::new(format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n").into())
}

fn jwa(algorithm: Algorithm) -> Jwa {
    match algorithm {
        Algorithm::Hs256 => Jwa::HS256,
        Algorithm::Hs384 => Jwa::HS384,
        Algorithm::Hs512 => Jwa::HS512,
        Algorithm::Rs256 => Jwa::RS256,
        Algorithm::Rs384 => Jwa::RS384,
        Algorithm::Rs512 => Jwa::RS512,
        Algorithm::Ps256 => Jwa::PS256,
        Algorithm::Ps384 => Jwa::PS384,
        Algorithm::Ps512 => Jwa::PS512,
        Algorithm::Es256 => Jwa::ES256,
        Algorithm::Es384 => Jwa::ES384,
        Algorithm::EdDsa => Jwa::EdDSA,
    }
}
