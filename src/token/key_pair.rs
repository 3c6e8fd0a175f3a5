//! Reading the keys of key pairs from PEM and DER.

use super::algorithm::Algorithm;
use super::der::{Form, KeyKind};
use super::error::KeyringError;
use super::key::Material;
use super::key_problem::KeyProblem;
use super::pem::Block;
use crate::crypto::{PrivateKey, PublicKey, Scheme};

/// Reads a private key.
pub(super) fn private_key(
    algorithm: Algorithm,
    scheme: Scheme,
    material: &Material,
) -> Result<PrivateKey, KeyringError> {
    read(algorithm, material, |der| {
        let form = form(der)?;
        let key = match form {
            Form::Pkcs8(kind) => {
                check_kind(scheme, kind)?;
                PrivateKey::from_pkcs8(scheme, der)
            }
            Form::Pkcs1Private(bits) => {
                check_kind(scheme, KeyKind::Rsa(bits))?;
                PrivateKey::from_pkcs1(scheme, der)
            }
            Form::Spki(_) | Form::Pkcs1Public(_) => return Err(KeyProblem::Public),
            other => return Err(unusable(other)),
        };
        Ok((form, key.ok_or(KeyProblem::Invalid)?))
    })
}

/// Reads a public key.
pub(super) fn public_key(
    algorithm: Algorithm,
    scheme: Scheme,
    material: &Material,
) -> Result<PublicKey, KeyringError> {
    read(algorithm, material, |der| {
        let form = form(der)?;
        match form {
            Form::Spki(kind) => check_kind(scheme, kind)?,
            Form::Pkcs1Public(bits) => check_kind(scheme, KeyKind::Rsa(bits))?,
            Form::Pkcs8(_) | Form::Pkcs1Private(_) => return Err(KeyProblem::Private),
            other => return Err(unusable(other)),
        }
        let key = PublicKey::new(scheme, der);
        Ok((form, key.ok_or(KeyProblem::Invalid)?))
    })
}

/// Parses the DER in `material`, and checks that the label of a PEM block fits the form.
fn read<K>(
    algorithm: Algorithm,
    material: &Material,
    parse: impl FnOnce(&[u8]) -> Result<(Form, K), KeyProblem>,
) -> Result<K, KeyringError> {
    let parsed = match material {
        Material::Secret(_) | Material::SecretBase64(_) => {
            return Err(KeyringError::WrongKind(algorithm));
        }
        Material::Der(der) => parse(der).map(|(_, key)| key),
        Material::Pem(pem) => Block::read(pem).and_then(|block| {
            check_label(block.label)?;
            let (form, key) = parse(&block.der).map_err(|problem| match problem {
                KeyProblem::NoDer => KeyProblem::Damaged,
                problem => problem,
            })?;
            let fits = label(form) == Some(block.label);
            fits.then_some(key).ok_or(KeyProblem::Damaged)
        }),
    };
    parsed.map_err(|problem| KeyringError::InvalidKey { algorithm, problem })
}

fn form(der: &[u8]) -> Result<Form, KeyProblem> {
    Form::of(der).ok_or(KeyProblem::NoDer)
}

fn unusable(form: Form) -> KeyProblem {
    match form {
        Form::Encrypted => KeyProblem::Encrypted,
        Form::Sec1 => KeyProblem::Sec1,
        Form::Certificate => KeyProblem::Certificate,
        Form::Spki(_) | Form::Pkcs8(_) | Form::Pkcs1Public(_) | Form::Pkcs1Private(_) => {
            KeyProblem::Invalid
        }
    }
}

fn label(form: Form) -> Option<&'static [u8]> {
    match form {
        Form::Spki(_) => Some(b"PUBLIC KEY"),
        Form::Pkcs8(_) => Some(b"PRIVATE KEY"),
        Form::Pkcs1Public(_) => Some(b"RSA PUBLIC KEY"),
        Form::Pkcs1Private(_) => Some(b"RSA PRIVATE KEY"),
        Form::Encrypted | Form::Sec1 | Form::Certificate => None,
    }
}

/// Names what a label says that is no usable key.
fn check_label(label: &[u8]) -> Result<(), KeyProblem> {
    match label {
        b"PRIVATE KEY" | b"PUBLIC KEY" | b"RSA PRIVATE KEY" | b"RSA PUBLIC KEY" => Ok(()),
        b"ENCRYPTED PRIVATE KEY" => Err(KeyProblem::Encrypted),
        b"EC PRIVATE KEY" => Err(KeyProblem::Sec1),
        b"OPENSSH PRIVATE KEY" => Err(KeyProblem::OpenSsh),
        b"DSA PRIVATE KEY" => Err(KeyProblem::Kind("a DSA")),
        label if label.ends_with(b"CERTIFICATE") => Err(KeyProblem::Certificate),
        _ => Err(KeyProblem::Label),
    }
}

fn check_kind(scheme: Scheme, kind: KeyKind) -> Result<(), KeyProblem> {
    match (scheme, kind) {
        (Scheme::EcdsaP256, KeyKind::P256)
        | (Scheme::EcdsaP384, KeyKind::P384)
        | (Scheme::Ed25519, KeyKind::Ed25519)
        | (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), KeyKind::Rsa(2048..=8192)) => Ok(()),
        (Scheme::RsaPkcs1(_) | Scheme::RsaPss(_), KeyKind::Rsa(bits)) => {
            Err(KeyProblem::RsaSize(bits))
        }
        (_, KeyKind::Rsa(_)) => Err(KeyProblem::Kind("an RSA")),
        (_, KeyKind::RsaPss) => Err(KeyProblem::RsaPss),
        (_, KeyKind::P256) => Err(KeyProblem::Curve("P-256")),
        (_, KeyKind::P384) => Err(KeyProblem::Curve("P-384")),
        (_, KeyKind::OtherCurve(name)) => Err(KeyProblem::Curve(name)),
        (_, KeyKind::Ed25519) => Err(KeyProblem::Kind("an Ed25519")),
        (_, KeyKind::Other(name)) => Err(KeyProblem::Kind(name)),
    }
}
