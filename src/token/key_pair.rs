//! Reading the keys of key pairs from PEM and DER.

use super::algorithm::Algorithm;
use super::der::Outline;
use super::error::KeyringError;
use super::key::{Key, KeyForm};
use super::key_problem::KeyProblem;
use super::pem::Block;
use crate::crypto::{PrivateKey, PublicKey, Scheme};

/// Reads a private key.
pub(super) fn private_key(
    algorithm: Algorithm,
    scheme: Scheme,
    key: &Key,
) -> Result<PrivateKey, KeyringError> {
    let other_half = ("PUBLIC KEY", KeyProblem::Public);
    read(algorithm, key, |der, label| {
        parse(der, label, other_half, scheme, PrivateKey::new)
    })
}

/// Reads a public key.
pub(super) fn public_key(
    algorithm: Algorithm,
    scheme: Scheme,
    key: &Key,
) -> Result<PublicKey, KeyringError> {
    let other_half = ("PRIVATE KEY", KeyProblem::Private);
    read(algorithm, key, |der, label| {
        parse(der, label, other_half, scheme, PublicKey::new)
    })
}

/// Calls `parse` with the DER in `key` and the label of its PEM block.
fn read<K>(
    algorithm: Algorithm,
    key: &Key,
    parse: impl FnOnce(&[u8], Option<&str>) -> Result<K, KeyProblem>,
) -> Result<K, KeyringError> {
    let parsed = match key.form {
        KeyForm::Secret | KeyForm::SecretBase64 => {
            return Err(KeyringError::WrongKind(algorithm));
        }
        KeyForm::Der => parse(&key.bytes, None),
        KeyForm::Pem => {
            Block::read(&key.bytes).and_then(|block| parse(&block.der, Some(block.label)))
        }
    };
    parsed.map_err(|problem| KeyringError::InvalidKey { algorithm, problem })
}

fn parse<K>(
    der: &[u8],
    label: Option<&str>,
    other_half: (&str, KeyProblem),
    scheme: Scheme,
    parse: fn(Scheme, &[u8]) -> Option<K>,
) -> Result<K, KeyProblem> {
    label.map_or(Ok(()), check_label)?;
    let no_outline = label.map_or(KeyProblem::NoDer, |_| KeyProblem::Damaged);
    let outline = Outline::of(der).ok_or(no_outline)?;
    // What is in a block counts, not what its label claims: it may be a certificate.
    check_label(outline.label)?;
    if outline.label.ends_with(other_half.0) {
        return Err(other_half.1);
    }
    check_size(scheme, outline.rsa_bits)?;
    let key = parse(scheme, der).ok_or(KeyProblem::Invalid)?;
    let fits = label.is_none_or(|label| label == outline.label);
    fits.then_some(key).ok_or(KeyProblem::Damaged)
}

/// Rejects every label except those of usable keys.
fn check_label(label: &str) -> Result<(), KeyProblem> {
    match label {
        "PRIVATE KEY" | "PUBLIC KEY" | "RSA PRIVATE KEY" | "RSA PUBLIC KEY" => Ok(()),
        "ENCRYPTED PRIVATE KEY" => Err(KeyProblem::Encrypted),
        "EC PRIVATE KEY" => Err(KeyProblem::Sec1),
        "OPENSSH PRIVATE KEY" => Err(KeyProblem::OpenSsh),
        label if label.ends_with("CERTIFICATE") => Err(KeyProblem::Certificate),
        _ => Err(KeyProblem::Label),
    }
}

/// Rejects RSA keys of another size: `aws-lc-rs` notices a public one only when it verifies.
fn check_size(scheme: Scheme, rsa_bits: Option<usize>) -> Result<(), KeyProblem> {
    match (scheme, rsa_bits) {
        (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), Some(2048..=8192)) => Ok(()),
        (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), Some(bits)) => Err(KeyProblem::RsaSize(bits)),
        (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), None) | (_, Some(_)) => Err(KeyProblem::Invalid),
        (Scheme::EcdsaP256 | Scheme::EcdsaP384 | Scheme::Ed25519, None) => Ok(()),
    }
}
