//! Building key rings.

use super::algorithm::Algorithm;
use super::error::KeyringError;
use super::header;
use super::jwk::Jwk;
use super::key::Key;
use super::keyring::Keyring;
use super::ring::{Keys, NamedKey};

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
        KeyringBuilder::new(algorithm)
    }
}

/// Builder of a [`Keyring`]: a key that signs, and up to two previous ones whose tokens are still
/// accepted.
///
/// If any key has a `kid`, a token that names a key is verified with the key of that name, a token
/// that names none with each key in turn, and a token that names an unknown key is rejected. If no
/// key has one, the `kid` of a token is ignored.
///
/// See the [module](crate::token) for an example.
#[derive(Clone, Debug)]
pub struct KeyringBuilder {
    algorithm: Algorithm,
    signing: Option<Key>,
    previous: Vec<Key>,
    thumbprint_kids: bool,
}

impl KeyringBuilder {
    pub(super) const fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            signing: None,
            previous: Vec::new(),
            thumbprint_kids: false,
        }
    }

    /// Sets the key that signs and verifies.
    ///
    /// A key ring without one only verifies.
    #[must_use]
    pub fn signing(mut self, key: Key) -> Self {
        self.signing = Some(key);
        self
    }

    /// Adds a key that only verifies: the previous signing key, or the next one.
    ///
    /// A key ring has at most three keys in all.
    #[must_use]
    pub fn previous(mut self, key: Key) -> Self {
        self.previous.push(key);
        self
    }

    /// Names each key pair without a [`kid`](Key::kid) by its SHA-256 thumbprint (RFC 7638), so that
    /// every process gives a key the same name, and its tokens name the key of
    /// [`Keyring::jwks`] that verifies them.
    ///
    /// Has no effect on HMAC secrets. By default such keys have no name, and tokens no `kid`.
    #[must_use]
    pub const fn thumbprint_kids(mut self) -> Self {
        self.thumbprint_kids = true;
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
        let named = |kid: Option<Box<str>>, verifying| {
            let kid = kid.or_else(|| {
                let jwk = self
                    .thumbprint_kids
                    .then(|| Jwk::of(algorithm, &verifying))?;
                Some(jwk?.thumbprint().into())
            });
            NamedKey {
                header: header::encode(algorithm, kid.as_deref()),
                verifying,
                kid,
            }
        };
        let mut verifying = Vec::new();
        let mut signing = None;
        if let Some(key) = self.signing {
            let signer = key.signing(algorithm)?;
            let verifier = signer.verifying_key(algorithm.scheme());
            let verifier = verifier.ok_or(KeyringError::SelfTest(algorithm))?;
            verifying.push(named(key.kid, verifier));
            signing = Some(signer);
        }
        for key in self.previous {
            let verifier = key.verifying(algorithm)?;
            verifying.push(named(key.kid, verifier));
        }
        check_kids(&verifying)?;
        let keys = Keys {
            algorithm,
            signing,
            verifying,
        };
        Ok(Keyring::new(keys))
    }

    /// Checks how many keys there are.
    fn check(&self) -> Result<(), KeyringError> {
        let keys = self.signing.iter().chain(&self.previous);
        match keys.clone().count() {
            0 => return Err(KeyringError::NoKey),
            1..=3 => {}
            // Each token without a key name costs up to one signature check per key.
            _ => return Err(KeyringError::TooManyKeys),
        }
        Ok(())
    }
}

/// Checks the names of the keys.
fn check_kids(keys: &[NamedKey]) -> Result<(), KeyringError> {
    let mut kids = Vec::new();
    for kid in keys.iter().filter_map(|key| key.kid.as_deref()) {
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
