//! The keys that a key ring is built from.

use std::fmt;

use zeroize::Zeroizing;

use super::algorithm::Algorithm;
use super::error::{KeyProblem, KeyringError};
use super::{key_pair, pem, secret};
use crate::crypto::{Scheme, SigningKey, VerifyingKey};
use crate::encoding;

/// Key of a key ring: an HMAC secret, a private key, or a public key.
///
/// It is checked by [`KeyringBuilder::build`](super::KeyringBuilder::build). The bytes are copied,
/// and the copy is erased from memory when the key is dropped. `Debug` does not print them.
///
/// See the [module](crate::token) for an example.
#[derive(Clone)]
pub struct Key {
    form: KeyForm,
    bytes: Zeroizing<Vec<u8>>,
    /// `None`: tokens do not name the key.
    pub(super) kid: Option<Box<str>>,
    weak_allowed: bool,
}

/// How the bytes of a [`Key`] are read.
#[derive(Clone, Copy)]
enum KeyForm {
    Secret,
    SecretBase64,
    Pem,
    Der,
}

impl Key {
    /// Creates a key from the bytes of an HMAC secret. HS256 needs at least 32, HS384 48 and HS512
    /// 64 bytes.
    ///
    /// They are not decoded, even if they are base64 or hexadecimal text.
    #[must_use]
    pub fn secret(secret: impl AsRef<[u8]>) -> Self {
        Self::new(KeyForm::Secret, secret)
    }

    /// Decodes an HMAC secret from base64 or base64url, with or without padding.
    ///
    /// White space around it is ignored, so the output of `openssl rand -base64 32` may be passed
    /// as it is. The decoded bytes must have the length that [`secret`](Self::secret) requires.
    ///
    /// ```
    /// use jwt_redis_session::{Algorithm, Keyring, token::Key};
    ///
    /// # let text = "b2Ygb3BlbnNzbCByYW5kLCAzMiBieXRlcyBpbiBhbGw=\n";
    /// let key = Key::secret_base64(text);
    /// let keyring = Keyring::builder(Algorithm::Hs256).signing(key).build()?;
    /// # Ok::<(), jwt_redis_session::token::KeyringError>(())
    /// ```
    #[must_use]
    pub fn secret_base64(text: impl AsRef<[u8]>) -> Self {
        Self::new(KeyForm::SecretBase64, text)
    }

    /// Reads a key in PEM.
    ///
    /// The key that signs is a `PRIVATE KEY` (PKCS#8) or, for RSA, an `RSA PRIVATE KEY` (PKCS#1);
    /// its public key is derived. A previous key is a `PUBLIC KEY` (SPKI) or, for RSA, an
    /// `RSA PUBLIC KEY` (PKCS#1). The text must contain exactly one block. Text around the block is
    /// ignored, and line breaks may be written as `\n`, as they often are in environment variables.
    #[must_use]
    pub fn pem(pem: impl AsRef<[u8]>) -> Self {
        Self::new(KeyForm::Pem, pem)
    }

    /// Reads a key in DER, in one of the forms that [`pem`](Self::pem) accepts.
    #[must_use]
    pub fn der(der: impl AsRef<[u8]>) -> Self {
        Self::new(KeyForm::Der, der)
    }

    /// Sets the name of the key in the header of its tokens (RFC 7515 section 4.1.4).
    ///
    /// 1 to 128 bytes. Defaults to no name.
    #[must_use]
    pub fn kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into().into());
        self
    }

    /// Allows a weak HMAC secret, for the tokens of an npm deployment that uses one.
    ///
    /// Anyone who guesses the secret can forge tokens. An empty secret and the text of a key are
    /// still errors.
    #[must_use]
    pub fn allowing_weak_secret_for_npm(mut self) -> Self {
        self.weak_allowed = true;
        self
    }

    fn new(form: KeyForm, bytes: impl AsRef<[u8]>) -> Self {
        Self {
            form,
            bytes: Zeroizing::new(bytes.as_ref().to_vec()),
            kid: None,
            weak_allowed: false,
        }
    }

    /// Reads the key that signs, which is not a public one.
    pub(super) fn signing(&self, algorithm: Algorithm) -> Result<SigningKey, KeyringError> {
        let public = ("PUBLIC KEY", KeyProblem::Public);
        self.read(algorithm, public, SigningKey::new)
    }

    /// Reads a key that only verifies, which is not a private one.
    pub(super) fn verifying(&self, algorithm: Algorithm) -> Result<VerifyingKey, KeyringError> {
        let private = ("PRIVATE KEY", KeyProblem::Private);
        self.read(algorithm, private, VerifyingKey::new)
    }

    /// `parse` takes one half of a key pair; `other_half` is the label and the problem of the
    /// other.
    fn read<K>(
        &self,
        algorithm: Algorithm,
        other_half: (&str, KeyProblem),
        parse: fn(Scheme, &[u8]) -> Option<K>,
    ) -> Result<K, KeyringError> {
        let scheme = algorithm.scheme();
        let invalid = |problem| KeyringError::InvalidKey { algorithm, problem };
        let is_secret = matches!(self.form, KeyForm::Secret | KeyForm::SecretBase64);
        if is_secret != matches!(scheme, Scheme::Hmac(_)) {
            return Err(KeyringError::WrongKind(algorithm));
        }
        let (label, bytes) = match self.form {
            KeyForm::Secret | KeyForm::Der => (None, self.bytes.clone()),
            KeyForm::SecretBase64 => {
                let decoded = encoding::decode_secret(self.bytes.trim_ascii());
                (None, decoded.ok_or(KeyringError::InvalidBase64)?)
            }
            KeyForm::Pem => {
                let (label, der) = pem::read(&self.bytes).map_err(invalid)?;
                (Some(label), der)
            }
        };
        match scheme {
            Scheme::Hmac(hmac) => {
                secret::check(
                    algorithm,
                    hmac.digest_algorithm().output_len,
                    &bytes,
                    self.weak_allowed,
                )?;
            }
            _ => key_pair::check(&bytes, label, other_half, scheme).map_err(invalid)?,
        }
        parse(scheme, &bytes).ok_or_else(|| invalid(KeyProblem::Invalid))
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key([redacted])")
    }
}
