//! Checks of the keys of key pairs.

use super::der::Outline;
use super::error::KeyProblem;
use crate::crypto::Scheme;

/// Checks that `der`, from a PEM block with `label` if it has one, is one half of a key pair.
///
/// `other_half` is the label and the problem of the other half.
pub(super) fn check(
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
        (Scheme::Rsa(..), Some(2048..=8192)) => Ok(()),
        (Scheme::Rsa(..), Some(bits)) => Err(KeyProblem::RsaSize(bits)),
        (Scheme::Ecdsa(..) | Scheme::Ed25519, None) => Ok(()),
        _ => Err(KeyProblem::Invalid),
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
