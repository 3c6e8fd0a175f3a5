//! Reading the keys of key pairs from PEM and DER.

use super::algorithm::Algorithm;
use super::der::Outline;
use super::error::KeyringError;
use super::key::{Key, KeyForm};
use super::key_problem::KeyProblem;
use super::pem::Block;
use crate::crypto::Scheme;

/// Reads one half of a key pair from PEM or DER.
///
/// `parse` takes that half; `other_half` is the label and the problem of the other one.
pub(super) fn read<K>(
    algorithm: Algorithm,
    scheme: Scheme,
    key: &Key,
    other_half: (&str, KeyProblem),
    parse: fn(Scheme, &[u8]) -> Option<K>,
) -> Result<K, KeyringError> {
    let read = |der: &[u8], label: Option<&str>| {
        check(der, label, other_half, scheme)?;
        parse(scheme, der).ok_or(KeyProblem::Invalid)
    };
    let key = match key.form {
        KeyForm::Secret | KeyForm::SecretBase64 => return Err(KeyringError::WrongKind(algorithm)),
        KeyForm::Der => read(&key.bytes, None),
        KeyForm::Pem => Block::read(&key.bytes).and_then(|pem| read(&pem.der, Some(pem.label))),
    };
    key.map_err(|problem| KeyringError::InvalidKey { algorithm, problem })
}

fn check(
    der: &[u8],
    label: Option<&str>,
    other_half: (&str, KeyProblem),
    scheme: Scheme,
) -> Result<(), KeyProblem> {
    label.map_or(Ok(()), check_label)?;
    let no_outline = label.map_or(KeyProblem::NoDer, |_| KeyProblem::Damaged);
    let outline = Outline::of(der).ok_or(no_outline)?;
    // What is in a block counts, not what its label claims: it may be a certificate.
    check_label(outline.label)?;
    if outline.label.ends_with(other_half.0) {
        return Err(other_half.1);
    }
    if label.is_some_and(|label| label != outline.label) {
        return Err(KeyProblem::Damaged);
    }
    // `aws-lc-rs` notices the size of a public RSA key only when it verifies.
    match (scheme, outline.rsa_bits) {
        (Scheme::Rsa(..), Some(2048..=8192)) | (Scheme::Ecdsa(..) | Scheme::Ed25519, None) => {
            Ok(())
        }
        (Scheme::Rsa(..), Some(bits)) => Err(KeyProblem::RsaSize(bits)),
        (Scheme::Rsa(..), None) | (_, Some(_)) => Err(KeyProblem::Invalid),
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
