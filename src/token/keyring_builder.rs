//! Building key rings.

use super::algorithm::Algorithm;
use super::error::KeyringError;
use super::jws;
use super::key::Key;
use super::keyring::{Keyring, Keys, NamedKey};
use super::signer::{Signer, Verifier};

impl Keyring {
    /// Builds a key ring of one HS256 secret: at least 32 random bytes, used as they are.
    ///
    /// A secret in base64 is read by [`Key::secret_base64`](super::Key::secret_base64).
    ///
    /// # Errors
    ///
    /// [`KeyringError::WeakSecret`] and [`KeyringError::KeyAsSecret`].
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, KeyringError> {
        Self::hmac(Algorithm::Hs256, secret)
    }

    /// Builds a key ring of one HMAC secret: at least 32 bytes for HS256, 48 for HS384, 64 for
    /// HS512.
    ///
    /// # Errors
    ///
    /// [`KeyringError::WeakSecret`], [`KeyringError::KeyAsSecret`], and
    /// [`KeyringError::WrongKind`] if `algorithm` is not an HMAC. A weak secret that npm deployments
    /// still use needs [`Key::allowing_weak_secret_for_npm`].
    pub fn hmac(algorithm: Algorithm, secret: impl AsRef<[u8]>) -> Result<Self, KeyringError> {
        Self::builder(algorithm)
            .signing(Key::secret(secret))
            .build()
    }

    /// Starts to build a key ring of key pairs, of named keys, or of several keys.
    #[must_use]
    pub fn builder(algorithm: Algorithm) -> KeyringBuilder {
        KeyringBuilder {
            algorithm,
            signing: None,
            previous: Vec::new(),
        }
    }
}

/// Builder of a [`Keyring`]: a key that signs, and up to two previous ones whose tokens are still
/// accepted.
///
/// If any key has a `kid`, a token that names a key is verified with the key of that name, a token
/// that names none with each key in turn, and a token that names an unknown key is rejected. If no
/// key has one, the `kid` of a token is ignored.
#[derive(Clone, Debug)]
pub struct KeyringBuilder {
    algorithm: Algorithm,
    signing: Option<Key>,
    previous: Vec<Key>,
}

impl KeyringBuilder {
    /// Sets the key that signs and verifies.
    ///
    /// A key ring without one only verifies.
    #[must_use]
    pub fn signing(mut self, key: Key) -> Self {
        self.signing = Some(key);
        self
    }

    /// Adds a key that only verifies, such as the previous signing key.
    ///
    /// A key ring has at most three keys in all.
    #[must_use]
    pub fn previous(mut self, key: Key) -> Self {
        self.previous.push(key);
        self
    }

    /// Reads and prepares the keys, and signs and verifies once as a test.
    ///
    /// # Errors
    ///
    /// [`KeyringError`] if a key cannot be used, if there are none or too many, or if two have the
    /// same name.
    pub fn build(self) -> Result<Keyring, KeyringError> {
        self.check()?;
        let algorithm = self.algorithm;
        let mut verifying = Vec::new();
        let mut signing = None;
        if let Some(key) = self.signing {
            let signer = Signer::new(algorithm, &key)?;
            verifying.push(named(algorithm, key.kid, signer.verifier(algorithm)?));
            signing = Some(signer);
        }
        for key in self.previous {
            let verifier = Verifier::new(algorithm, &key)?;
            verifying.push(named(algorithm, key.kid, verifier));
        }
        Ok(Keyring::new(Keys {
            algorithm,
            signing,
            verifying,
        }))
    }

    /// Checks how many keys there are, and their names.
    fn check(&self) -> Result<(), KeyringError> {
        let keys = self.signing.iter().chain(&self.previous);
        match keys.clone().count() {
            0 => return Err(KeyringError::NoKey),
            1..=3 => {}
            // Each token without a key name costs up to one signature check per key.
            _ => return Err(KeyringError::TooManyKeys),
        }
        let mut kids = Vec::new();
        for kid in keys.filter_map(|key| key.kid.as_deref()) {
            if !(1..=128).contains(&kid.len()) {
                return Err(KeyringError::InvalidKid);
            }
            if kids.contains(&kid) {
                return Err(KeyringError::DuplicateKid);
            }
            kids.push(kid);
        }
        Ok(())
    }
}

fn named(algorithm: Algorithm, kid: Option<Box<str>>, verifier: Verifier) -> NamedKey {
    NamedKey {
        verifier,
        header: jws::encode_header(algorithm, kid.as_deref()),
        kid,
    }
}
