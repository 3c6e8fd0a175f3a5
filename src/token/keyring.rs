//! Key rings: signing and verifying tokens.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;

use super::claims::Claims;
use super::error::{KeyringError, TokenError};
use super::new_claims::NewClaims;
use super::ring::{Keys, Ring};
use super::token_text::Token;
use super::validation::Validation;
use crate::clock::unix_millis;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// Key ring that signs tokens with one key and verifies them with up to three, all of one
/// algorithm.
///
/// Every key is prepared and tested once, when the key ring is built. Clones share the keys:
/// [`reload`](Self::reload) replaces them in all clones at once, while requests are served. By
/// default any issuer and audience is accepted and there is no leeway.
///
/// ```
/// use std::time::{Duration, SystemTime};
/// use jwt_redis_session::{Keyring, SessionId, TokenRejection, token::NewClaims};
///
/// # let secret: [u8; 32] = std::array::from_fn(|n| n as u8);
/// let keyring = Keyring::hs256(secret)?.issuer("https://shop.example");
/// let (id, now) = (SessionId::random(), SystemTime::now());
/// let end = now + Duration::from_secs(60);
/// let token = keyring.sign(&id, &NewClaims::at(now).expires_at(end))?;
///
/// assert_eq!(keyring.verify(token.as_str(), now).unwrap().id(), &id);
/// assert_eq!(keyring.verify(token.as_str(), end).unwrap_err(), TokenRejection::Expired);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    pub(super) current: Arc<ArcSwap<Ring>>,
}

impl Keyring {
    pub(super) fn new(keys: Keys) -> Self {
        Self::with(Arc::new(keys), Validation::default())
    }

    fn with(keys: Arc<Keys>, validation: Validation) -> Self {
        let ring = Ring::new(keys, validation);
        let current = Arc::new(ArcSwap::from_pointee(ring));
        Self { current }
    }

    /// Sets `iss` of new tokens, and rejects tokens without it (RFC 7519 section 4.1.1).
    ///
    /// Returns a separate key ring, as [`audience`](Self::audience) and [`leeway`](Self::leeway) do:
    /// a reload of the clones from before does not change it.
    #[must_use]
    pub fn issuer(self, issuer: impl Into<String>) -> Self {
        self.with_rule(|rules| rules.issuer = Some(issuer.into().into()))
    }

    /// Sets `aud` of new tokens, and rejects tokens without it (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audience(self, audience: impl Into<String>) -> Self {
        self.with_rule(|rules| rules.audience = Some(audience.into().into()))
    }

    /// Sets the leeway: tokens are accepted until `leeway` after `exp` and from `leeway` before
    /// `nbf`.
    ///
    /// Defaults to 0; at most 300 seconds, to the millisecond.
    ///
    /// # Errors
    ///
    /// [`KeyringError::LeewayTooLong`].
    pub fn leeway(self, leeway: Duration) -> Result<Self, KeyringError> {
        let millis = i64::try_from(leeway.as_millis()).unwrap_or(i64::MAX);
        if millis > 300_000 {
            return Err(KeyringError::LeewayTooLong);
        }
        Ok(self.with_rule(|rules| rules.leeway = millis))
    }

    /// Returns a key ring of the same keys with another rule. What was verified under other rules
    /// does not count under the new ones.
    fn with_rule(&self, change: impl FnOnce(&mut Validation)) -> Self {
        let ring = self.current.load();
        let mut validation = ring.validation.clone();
        change(&mut validation);
        Self::with(Arc::clone(&ring.keys), validation)
    }

    pub(super) fn leeway_millis(&self) -> i64 {
        self.current.load().validation.leeway
    }

    /// Signs a token for the session `id` (RFC 7515 section 5.1).
    ///
    /// # Errors
    ///
    /// [`TokenError`] if the claims contain a reserved one, are too long or have impossible times,
    /// or if the key ring has no signing key.
    pub fn sign(&self, id: &SessionId, claims: &NewClaims<'_>) -> Result<Token, TokenError> {
        self.current.load().sign(id, claims)
    }

    /// Verifies that a token was signed by a key of the key ring and is valid at `now`.
    ///
    /// Checks, in this order, length, form, header, signature, claims (RFC 7519 section 7.2,
    /// RFC 8725).
    ///
    /// # Errors
    ///
    /// [`TokenRejection`] with the first check that fails. The reason is for logs; do not send it
    /// to the client.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, TokenRejection> {
        self.current.load().verify(token, unix_millis(now))
    }
}

/// Changing the keys while they are in use.
impl Keyring {
    /// Replaces the keys of this key ring and of all its clones by those of `next`, unless that ends
    /// sessions.
    ///
    /// For keys that are rotated in a running process; the [module](crate::token#key-rotation)
    /// describes the three steps. Tokens that are signed or verified after this call, by any clone,
    /// use the new keys only; a token whose key was removed is rejected at once. A call that is in
    /// progress finishes with the keys with which it began. `next` is not changed.
    ///
    /// Only the tokens that this key ring signs are compared with the next keys. The tokens of its
    /// previous keys, and all tokens of a key ring that only verifies, may be rejected afterwards.
    ///
    /// ```
    /// use std::time::SystemTime;
    /// use jwt_redis_session::{Algorithm, Keyring, SessionId, token::{Key, KeyringError, NewClaims}};
    ///
    /// # fn keys() -> [[u8; 32]; 2] { [std::array::from_fn(|n| n as u8), std::array::from_fn(|n| n as u8 + 9)] }
    /// let [old, new] = keys().map(Key::secret);
    /// let ring = |signing| Keyring::builder(Algorithm::Hs256).signing(signing);
    /// let keyring = ring(old.clone()).build()?;
    /// let token = keyring.sign(&SessionId::random(), &NewClaims::at(SystemTime::now()))?;
    ///
    /// // Without the old key, the tokens that it signs would be rejected.
    /// let refused = keyring.reload(&ring(new.clone()).build()?);
    /// assert_eq!(refused, Err(KeyringError::EndsSessions));
    ///
    /// keyring.reload(&ring(new).previous(old).build()?)?;
    /// assert!(keyring.verify(token.as_str(), SystemTime::now()).is_ok());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// Nothing is changed, and the error is [`KeyringError::EndsSessions`] if `next` does not
    /// accept the tokens that this key ring signs, for example those of another algorithm,
    /// [`KeyringError::NoSigningKey`] if `next` only verifies and this key ring signs, and
    /// [`KeyringError::OtherRules`] if its issuer, audience or leeway differs.
    pub fn reload(&self, next: &Self) -> Result<(), KeyringError> {
        let next = next.current.load();
        // Again if another reload came first, whose keys were not compared with these.
        loop {
            let current = self.current.load();
            if next.validation != current.validation {
                return Err(KeyringError::OtherRules);
            }
            if current.keys.signing.is_some() && next.keys.signing.is_none() {
                return Err(KeyringError::NoSigningKey);
            }
            if !next.accepts_tokens_of(&current) {
                return Err(KeyringError::EndsSessions);
            }
            let before = self
                .current
                .compare_and_swap(&current, Arc::new(next.unused()));
            if Arc::ptr_eq(&before, &current) {
                return Ok(());
            }
        }
    }

    /// Replaces keys, algorithm, issuer, audience and leeway of this key ring and of all its clones
    /// by those of `next`, even if that ends sessions.
    ///
    /// For a key that has leaked: a token is rejected as soon as no key verifies it, in this
    /// process. [`reload`](Self::reload) refuses such a change.
    pub fn replace(&self, next: &Self) {
        self.current.store(Arc::new(next.current.load().unused()));
    }
}

impl Keyring {
    /// Returns the public keys as a JWK Set in JSON (RFC 7517 section 5), for programs that verify
    /// tokens themselves.
    ///
    /// Each key has its name as `kid`, or else its SHA-256 thumbprint (RFC 7638). A token has the
    /// `kid` of its key only if the key has a name: one set by [`Key::kid`](super::Key::kid), or its
    /// thumbprint with [`thumbprint_kids`](super::KeyringBuilder::thumbprint_kids). Without that,
    /// other programs find the key only while the set has a single one.
    ///
    /// The set is empty for HMAC secrets. It never contains a private key.
    /// [`JwksService`](crate::endpoints::JwksService) serves it; its module
    /// describes what a program that only verifies the signature does not notice.
    ///
    /// ```
    /// use jwt_redis_session::{Algorithm, Keyring, token::Key};
    ///
    /// # let private_pem = include_str!("../../tests/keys/ed25519.pem");
    /// let key = Key::pem(private_pem).kid("2026-11");
    /// let keyring = Keyring::builder(Algorithm::EdDsa).signing(key).build()?;
    /// let start = r#"{"keys":[{"crv":"Ed25519","kty":"OKP","x":""#;
    /// assert!(keyring.jwks().starts_with(start));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn jwks(&self) -> String {
        self.current.load().keys.jwks()
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let keys = &self.current.load().keys;
        f.debug_struct("Keyring")
            .field("algorithm", &keys.algorithm)
            .field("keys", &keys.verifying.len())
            .finish_non_exhaustive()
    }
}
