//! The keys that a key ring is built from.

use std::fmt;
use std::marker::PhantomData;

use zeroize::Zeroizing;

/// Key that signs tokens and verifies them: an HMAC secret or a private key.
///
/// The public key is derived from the private one.
pub type SigningKey = Key<Signing>;

/// Key that only verifies tokens: an HMAC secret or a public key.
pub type VerifyingKey = Key<Verifying>;

/// Key material as the application has it; see [`SigningKey`] and [`VerifyingKey`].
///
/// It is checked by [`KeyringBuilder::build`](super::KeyringBuilder::build). The bytes are copied,
/// and the copy is erased from memory when the key is dropped. `Debug` does not print them.
#[derive(Clone)]
pub struct Key<U> {
    pub(super) material: Material,
    /// `None`: tokens do not name the key.
    pub(super) kid: Option<Box<str>>,
    pub(super) weak_allowed: bool,
    usage: PhantomData<U>,
}

/// Marks a [`Key`] that signs; see [`SigningKey`].
#[derive(Clone, Copy, Debug)]
pub enum Signing {}

/// Marks a [`Key`] that only verifies; see [`VerifyingKey`].
#[derive(Clone, Copy, Debug)]
pub enum Verifying {}

impl<U> Key<U> {
    /// Uses these bytes as an HMAC secret: at least 32 for HS256, 48 for HS384, 64 for HS512.
    ///
    /// They are used as they are, also if they are base64 or hexadecimal text.
    #[must_use]
    pub fn secret(secret: impl AsRef<[u8]>) -> Self {
        Self::new(Material::Secret(copy(secret)))
    }

    /// Decodes an HMAC secret from base64 or base64url, with or without padding.
    ///
    /// White space around it is ignored, so the output of `openssl rand -base64 32` may be passed
    /// as it is. The decoded bytes must have the length that [`secret`](Self::secret) requires.
    ///
    /// ```
    /// use jwt_redis_session::{Algorithm, Keyring, token::SigningKey};
    ///
    /// # let text = "b2Ygb3BlbnNzbCByYW5kLCAzMiBieXRlcyBpbiBhbGw=\n";
    /// let key = SigningKey::secret_base64(text);
    /// let keyring = Keyring::builder(Algorithm::Hs256).signing(key).build()?;
    /// # Ok::<(), jwt_redis_session::token::KeyringError>(())
    /// ```
    #[must_use]
    pub fn secret_base64(text: impl AsRef<[u8]>) -> Self {
        Self::new(Material::SecretBase64(copy(text)))
    }

    /// Reads a key in PEM.
    ///
    /// A [`SigningKey`] takes `PRIVATE KEY` (PKCS#8) or, for RSA, `RSA PRIVATE KEY` (PKCS#1); a
    /// [`VerifyingKey`] takes `PUBLIC KEY` (SPKI) or, for RSA, `RSA PUBLIC KEY` (PKCS#1). The text
    /// must contain exactly one block. Text around the block is ignored, and line breaks may be
    /// written as `\n`, as they often are in environment variables.
    #[must_use]
    pub fn pem(pem: impl AsRef<[u8]>) -> Self {
        Self::new(Material::Pem(copy(pem)))
    }

    /// Reads a key in DER.
    ///
    /// A [`SigningKey`] takes PKCS#8 or, for RSA, PKCS#1; a [`VerifyingKey`] takes SPKI or, for
    /// RSA, PKCS#1.
    #[must_use]
    pub fn der(der: impl AsRef<[u8]>) -> Self {
        Self::new(Material::Der(copy(der)))
    }

    /// Sets the name of the key in the header of its tokens (RFC 7515 section 4.1.4).
    ///
    /// 1 to 128 bytes. Defaults to no name.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into().into());
        self
    }

    /// Allows an HMAC secret that is too weak, for the tokens of an npm deployment that uses it:
    /// anyone who guesses the secret can forge tokens.
    ///
    /// An empty secret and the text of a key are still errors.
    #[must_use]
    pub fn allowing_weak_secret_for_npm(mut self) -> Self {
        self.weak_allowed = true;
        self
    }

    fn new(material: Material) -> Self {
        Self {
            material,
            kid: None,
            weak_allowed: false,
            usage: PhantomData,
        }
    }
}

impl<U> fmt::Debug for Key<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}

#[derive(Clone)]
pub(super) enum Material {
    Secret(Zeroizing<Vec<u8>>),
    SecretBase64(Zeroizing<Vec<u8>>),
    Pem(Zeroizing<Vec<u8>>),
    Der(Zeroizing<Vec<u8>>),
}

fn copy(bytes: impl AsRef<[u8]>) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(bytes.as_ref().to_vec())
}
