//! How a key ring is built.

use super::algorithm::Algorithm;
use super::error::KeyringError;
use super::header;
use super::key::{Key, SigningKey, VerifyingKey};
use super::keyring::{Keyring, Keys, NamedKey};
use super::prepared::{Signer, Verifier};

impl Keyring {
    /// Makes a ring of one HS256 secret: at least 32 random bytes, taken as they are.
    ///
    /// # Errors
    ///
    /// [`KeyringError::WeakSecret`] and [`KeyringError::KeyAsSecret`].
    pub fn hs256(secret: impl AsRef<[u8]>) -> Result<Self, KeyringError> {
        Self::hmac(Algorithm::Hs256, secret)
    }

    /// Makes a ring of one HMAC secret: at least 32 bytes for HS256, 48 for HS384, 64 for HS512.
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

    /// Makes a ring of one HMAC secret that may be too weak, for npm deployments that have one:
    /// whoever guesses the secret can forge tokens.
    ///
    /// # Errors
    ///
    /// [`KeyringError::WeakSecret`] if it is empty, [`KeyringError::KeyAsSecret`] all the same.
    pub fn hmac_allowing_weak_secret_for_npm(
        algorithm: Algorithm,
        secret: impl AsRef<[u8]>,
    ) -> Result<Self, KeyringError> {
        Self::builder(algorithm)
            .signing(SigningKey::secret(secret).allowing_weak_secret_for_npm())
            .build()
    }

    /// Starts a ring of key pairs, of named keys, or of several keys.
    #[must_use]
    pub fn builder(algorithm: Algorithm) -> KeyringBuilder {
        KeyringBuilder::new(algorithm)
    }
}

/// Gathers the keys of a [`Keyring`]: one that signs, and up to two previous ones whose tokens are
/// still accepted.
///
/// Once any key has a `kid`, a token that names a key is verified with the key of exactly that
/// name and a token that names none with each key in turn; a token that names an unknown key is
/// refused. As long as no key has one, `kid` is not looked at.
///
/// ```
/// use jwt_redis_session::{Algorithm, Keyring, SigningKey, VerifyingKey};
///
/// # let private_pem = include_str!("../../tests/keys/p256.pem");
/// # let previous_pem = include_str!("../../tests/keys/p256.pub.pem");
/// let keyring = Keyring::builder(Algorithm::Es256)
///     .signing(SigningKey::pem(private_pem).kid("2026-11"))
///     .previous(VerifyingKey::pem(previous_pem).kid("2026-05"))
///     .build()?;
/// # Ok::<(), jwt_redis_session::KeyringError>(())
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

    /// Sets the key that signs; it verifies, too.
    ///
    /// A ring without one only verifies.
    #[must_use]
    pub fn signing(mut self, key: SigningKey) -> Self {
        self.signing = Some(key);
        self
    }

    /// Adds a key that only verifies, such as the one that signed until yesterday.
    ///
    /// A ring has at most three keys in all.
    #[must_use]
    pub fn previous(mut self, key: VerifyingKey) -> Self {
        self.verifying.push(key);
        self
    }

    /// Reads and prepares the keys, and signs and verifies once to see that it works.
    ///
    /// # Errors
    ///
    /// [`KeyringError`] if a key is unfit, if there are too few or too many, or if their names
    /// clash.
    pub fn build(self) -> Result<Keyring, KeyringError> {
        self.check_count()?;
        self.check_kids()?;
        let algorithm = self.algorithm;
        let mut verifying = Vec::new();
        let mut signing = None;
        if let Some(SigningKey(key)) = self.signing {
            let signer = Signer::new(algorithm, &key)?;
            verifying.push(named(algorithm, key, signer.verifier(algorithm)?));
            signing = Some(signer);
        }
        for VerifyingKey(key) in self.verifying {
            let verifier = Verifier::new(algorithm, &key)?;
            verifying.push(named(algorithm, key, verifier));
        }
        Ok(Keyring::new(Keys {
            algorithm,
            signing,
            verifying,
        }))
    }

    fn check_count(&self) -> Result<(), KeyringError> {
        match self.keys().count() {
            0 => Err(KeyringError::NoKey),
            1..=3 => Ok(()),
            _ => Err(KeyringError::TooManyKeys),
        }
    }

    fn check_kids(&self) -> Result<(), KeyringError> {
        let mut kids: Vec<&str> = self.keys().filter_map(|key| key.kid.as_deref()).collect();
        if kids.iter().any(|kid| !(1..=128).contains(&kid.len())) {
            return Err(KeyringError::InvalidKid);
        }
        let count = kids.len();
        kids.sort_unstable();
        kids.dedup();
        let distinct = kids.len() == count;
        distinct.then_some(()).ok_or(KeyringError::DuplicateKid)
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        let signing = self.signing.iter().map(|SigningKey(key)| key);
        signing.chain(self.verifying.iter().map(|VerifyingKey(key)| key))
    }
}

fn named(algorithm: Algorithm, key: Key, verifier: Verifier) -> NamedKey {
    NamedKey {
        verifier,
        header: header::encode(algorithm, key.kid.as_deref()),
        kid: key.kid,
    }
}
