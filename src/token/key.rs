//! The keys a user gives to a key ring.

use std::fmt;

use zeroize::Zeroizing;

/// Signs tokens, and verifies them again: an HMAC secret or the private half of a key pair.
///
/// Nothing is checked before [`KeyringBuilder::build`](super::KeyringBuilder::build). The bytes
/// are erased when the key is dropped, and `Debug` does not print them.
#[derive(Clone)]
pub struct SigningKey(pub(super) Key);

impl SigningKey {
    /// Takes the bytes of an HMAC secret, as they are: at least 32 for HS256, 48 for HS384, 64
    /// for HS512.
    #[must_use]
    pub fn secret(secret: impl AsRef<[u8]>) -> Self {
        Self(Key::new(Material::Secret(copy(secret))))
    }

    /// Takes a private key in PEM: `PRIVATE KEY` (PKCS#8) or, for RSA, `RSA PRIVATE KEY` (PKCS#1).
    ///
    /// The public half is derived from it.
    #[must_use]
    pub fn pem(pem: impl AsRef<[u8]>) -> Self {
        Self(Key::new(Material::Pem(copy(pem))))
    }

    /// Takes a private key in DER: PKCS#8 or, for RSA, PKCS#1.
    ///
    /// The public half is derived from it.
    #[must_use]
    pub fn der(der: impl AsRef<[u8]>) -> Self {
        Self(Key::new(Material::Der(copy(der))))
    }

    /// Names the key in the header of every token it signs (RFC 7515 section 4.1.4).
    ///
    /// 1 to 128 bytes. Defaults to no name.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.0.kid = Some(kid.into().into());
        self
    }

    /// Admits an HMAC secret that is too weak, because tokens of an npm deployment carry its
    /// signature: whoever guesses the secret can forge tokens.
    ///
    /// An empty secret, or one that is the text of a key, stays refused.
    #[must_use]
    pub fn allowing_weak_secret_for_npm(mut self) -> Self {
        self.0.weak_allowed = true;
        self
    }
}

/// Verifies tokens and signs none: an HMAC secret or the public half of a key pair.
///
/// Nothing is checked before [`KeyringBuilder::build`](super::KeyringBuilder::build). The bytes
/// are erased when the key is dropped, and `Debug` does not print them.
#[derive(Clone)]
pub struct VerifyingKey(pub(super) Key);

impl VerifyingKey {
    /// Takes the bytes of an HMAC secret, as they are.
    #[must_use]
    pub fn secret(secret: impl AsRef<[u8]>) -> Self {
        Self(Key::new(Material::Secret(copy(secret))))
    }

    /// Takes a public key in PEM: `PUBLIC KEY` (SPKI) or, for RSA, `RSA PUBLIC KEY` (PKCS#1).
    #[must_use]
    pub fn pem(pem: impl AsRef<[u8]>) -> Self {
        Self(Key::new(Material::Pem(copy(pem))))
    }

    /// Takes a public key in DER: SPKI or, for RSA, PKCS#1.
    #[must_use]
    pub fn der(der: impl AsRef<[u8]>) -> Self {
        Self(Key::new(Material::Der(copy(der))))
    }

    /// Gives the `kid` of the tokens that the key verifies; see [`SigningKey::kid`].
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.0.kid = Some(kid.into().into());
        self
    }

    /// Admits a weak HMAC secret; see [`SigningKey::allowing_weak_secret_for_npm`].
    #[must_use]
    pub fn allowing_weak_secret_for_npm(mut self) -> Self {
        self.0.weak_allowed = true;
        self
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VerifyingKey([redacted])")
    }
}

#[derive(Clone)]
pub(super) struct Key {
    pub(super) material: Material,
    /// `None`: tokens do not name the key.
    pub(super) kid: Option<Box<str>>,
    pub(super) weak_allowed: bool,
}

impl Key {
    fn new(material: Material) -> Self {
        Self {
            material,
            kid: None,
            weak_allowed: false,
        }
    }
}

#[derive(Clone)]
pub(super) enum Material {
    Secret(Zeroizing<Vec<u8>>),
    Pem(Zeroizing<Vec<u8>>),
    Der(Zeroizing<Vec<u8>>),
}

fn copy(bytes: impl AsRef<[u8]>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.as_ref().to_vec())
}
