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
    read(algorithm, key, |der, outline| {
        if outline.label.ends_with("PUBLIC KEY") {
            return Err(KeyProblem::Public);
        }
        check_size(scheme, outline.rsa_bits)?;
        PrivateKey::new(scheme, der).ok_or(KeyProblem::Invalid)
    })
}

/// Reads a public key.
pub(super) fn public_key(
    algorithm: Algorithm,
    scheme: Scheme,
    key: &Key,
) -> Result<PublicKey, KeyringError> {
    read(algorithm, key, |der, outline| {
        if outline.label.ends_with("PRIVATE KEY") {
            return Err(KeyProblem::Private);
        }
        check_size(scheme, outline.rsa_bits)?;
        PublicKey::new(scheme, der).ok_or(KeyProblem::Invalid)
    })
}

fn read<K>(
    algorithm: Algorithm,
    key: &Key,
    parse: impl FnOnce(&[u8], Outline) -> Result<K, KeyProblem>,
) -> Result<K, KeyringError> {
    let parsed = match key.form {
        KeyForm::Secret | KeyForm::SecretBase64 => {
            return Err(KeyringError::WrongKind(algorithm));
        }
        KeyForm::Der => read_der(&key.bytes, parse).map(|(_, key)| key),
        KeyForm::Pem => read_pem(&key.bytes, parse),
    };
    parsed.map_err(|problem| KeyringError::InvalidKey { algorithm, problem })
}

fn read_der<K>(
    der: &[u8],
    parse: impl FnOnce(&[u8], Outline) -> Result<K, KeyProblem>,
) -> Result<(&'static str, K), KeyProblem> {
    let outline = Outline::of(der).ok_or(KeyProblem::NoDer)?;
    check_label(outline.label)?;
    Ok((outline.label, parse(der, outline)?))
}

fn read_pem<K>(
    pem: &[u8],
    parse: impl FnOnce(&[u8], Outline) -> Result<K, KeyProblem>,
) -> Result<K, KeyProblem> {
    let block = Block::read(pem)?;
    check_label(block.label)?;
    match read_der(&block.der, parse) {
        // What is in a block counts, not what its label claims.
        Ok((label, key)) if label == block.label => Ok(key),
        Ok(_) | Err(KeyProblem::NoDer) => Err(KeyProblem::Damaged),
        Err(problem) => Err(problem),
    }
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
