//! Building key rings.

use super::algorithm::Algorithm;
use super::error::KeyringError;
use super::header;
use super::key::{SigningKey, VerifyingKey};
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
    /// [`KeyringError::WrongKind`] if `algorithm` is not an HMAC.
    pub fn hmac(algorithm: Algorithm, secret: impl AsRef<[u8]>) -> Result<Self, KeyringError> {
        Self::builder(algorithm)
            .signing(SigningKey::secret(secret))
            .build()
    }

    /// Builds a key ring of one HMAC secret that may be too weak, for npm deployments that use
    /// one: anyone who guesses the secret can forge tokens.
    ///
    /// # Errors
    ///
    /// [`KeyringError::WeakSecret`] if it is empty, and [`KeyringError::KeyAsSecret`].
    pub fn hmac_allowing_weak_secret_for_npm(
        algorithm: Algorithm,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, KeyringError> {
        Self::builder(algorithm)
            .signing(SigningKey::secret(secret).allowing_weak_secret_for_npm())
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
/// ```
/// use jwt_redis_session::token::{SigningKey, VerifyingKey};
/// use jwt_redis_session::{Algorithm, Keyring};
///
/// # let private_pem = include_str!("../../tests/keys/p256.pem");
/// # let previous_pem = include_str!("../../tests/keys/p256.pub.pem");
/// let keyring = Keyring::builder(Algorithm::Es256)
///     .signing(SigningKey::pem(private_pem).kid("2026-11"))
///     .previous(VerifyingKey::pem(previous_pem).kid("2026-05"))
///     .build()?;
/// # Ok::<(), jwt_redis_session::token::KeyringError>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeyringBuilder {
    algorithm: Algorithm,
    signing: Option<SigningKey>,
    verifying: Vec<VerifyingKey>,
}

impl KeyringBuilder {
    pub(super) fn new(algorithm: Algorithm) -> Self {
        Self {
            algorithm,
            signing: None,
            verifying: Vec::new(),
        }
    }

    /// Sets the key that signs and verifies.
    ///
    /// A key ring without one only verifies.
    #[must_use]
    pub fn signing(mut self, key: SigningKey) -> Self {
        self.signing = Some(key);
        self
    }

    /// Adds a key that only verifies, such as the previous signing key.
    ///
    /// A key ring has at most three keys in all.
    #[must_use]
    pub fn previous(mut self, key: VerifyingKey) -> Self {
        self.verifying.push(key);
        self
    }

    /// Reads and prepares the keys, and signs and verifies once as a test.
    ///
    /// # Errors
    ///
    /// [`KeyringError`] if a key cannot be used, if there are none or too many, or if two have the
    /// same name.
    pub fn build(self) -> Result<Keyring, KeyringError> {
        self.check_count()?;
        self.check_kids()?;
        let algorithm = self.algorithm;
        let mut verifying = Vec::new();
        let mut signing = None;
        if let Some(key) = self.signing {
            let signer = Signer::new(algorithm, &key)?;
            verifying.push(named(algorithm, key.kid, signer.verifier(algorithm)?));
            signing = Some(signer);
        }
        for key in self.verifying {
            let verifier = Verifier::new(algorithm, &key)?;
            verifying.push(named(algorithm, key.kid, verifier));
        }
        Ok(Keyring::new(Keys {
            algorithm,
            signing,
            verifying,
        }))
    }

    fn check_count(&self) -> Result<(), KeyringError> {
        match self.kids().count() {
            0 => Err(KeyringError::NoKey),
            1..=3 => Ok(()),
            _ => Err(KeyringError::TooManyKeys),
        }
    }

    fn check_kids(&self) -> Result<(), KeyringError> {
        let mut kids: Vec<&str> = self.kids().flatten().collect();
        if kids.iter().any(|kid| !(1..=128).contains(&kid.len())) {
            return Err(KeyringError::InvalidKid);
        }
        let count = kids.len();
        kids.sort_unstable();
        kids.dedup();
        let distinct = kids.len() == count;
        distinct.then_some(()).ok_or(KeyringError::DuplicateKid)
    }

    fn kids(&self) -> impl Iterator<Item = Option<&str>> {
        let signing = self.signing.iter().map(|key| key.kid.as_deref());
        signing.chain(self.verifying.iter().map(|key| key.kid.as_deref()))
    }
}

fn named(algorithm: Algorithm, kid: Option<Box<str>>, verifier: Verifier) -> NamedKey {
    NamedKey {
        verifier,
        header: header::encode(algorithm, kid.as_deref()),
        kid,
    }
}
