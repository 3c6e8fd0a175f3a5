//! Reading the keys of key pairs from PEM and DER.

use super::algorithm::Algorithm;
use super::der::{KeyKind, Outline};
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
        check_kind(scheme, outline.kind)?;
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
        check_kind(scheme, outline.kind)?;
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

fn check_kind(scheme: Scheme, kind: Option<KeyKind>) -> Result<(), KeyProblem> {
    let rsa = matches!(scheme, Scheme::RsaPkcs1(_) | Scheme::RsaPss(_));
    match (scheme, kind.ok_or(KeyProblem::Invalid)?) {
        (Scheme::EcdsaP256, KeyKind::Curve("P-256"))
        | (Scheme::EcdsaP384, KeyKind::Curve("P-384"))
        | (Scheme::Ed25519, KeyKind::Other("an Ed25519")) => Ok(()),
        (_, KeyKind::Rsa(2048..=8192)) if rsa => Ok(()),
        (_, KeyKind::Rsa(bits)) if rsa => Err(KeyProblem::RsaSize(bits)),
        (_, KeyKind::Rsa(_)) => Err(KeyProblem::Kind("an RSA")),
        (_, KeyKind::RsaPss) => Err(KeyProblem::RsaPss),
        (_, KeyKind::Curve(name)) => Err(KeyProblem::Curve(name)),
        (_, KeyKind::Other(name)) => Err(KeyProblem::Kind(name)),
    }
}
