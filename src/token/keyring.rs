//! Key rings: signing and verifying tokens.

use std::borrow::Cow;
use std::fmt;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::error::{KeyringError, TokenError};
use super::header;
use super::key::Key;
use super::new_claims::NewClaims;
use super::token_text::Token;
use super::validation::Validation;
use super::verified_tokens::VerifiedTokens;
use crate::clock::unix_millis;
use crate::crypto::{SigningKey, VerifyingKey};
use crate::encoding;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// The longest signature in bytes, rounded up to a multiple of 3: RSA of 8192 bits.
const MAX_SIGNATURE: usize = 1026;

/// Key ring that signs tokens with one key and verifies them with up to three, all of one
/// algorithm.
///
/// Every key is prepared and tested once, when the key ring is built; clones share it. To rotate a
/// key, build the next key ring with the old key as
/// [`previous`](super::KeyringBuilder::previous). By default any issuer and audience is accepted
/// and there is no leeway.
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
    keys: Arc<Keys>,
    pub(super) validation: Arc<Validation>,
    /// Of these keys and this validation.
    pub(super) verified: Arc<VerifiedTokens>,
}

/// Prepared keys of a key ring.
struct Keys {
    algorithm: Algorithm,
    /// `None`: the key ring only verifies. The verifying half is the first of `verifying`.
    signing: Option<SigningKey>,
    /// One to three.
    verifying: Vec<NamedKey>,
}

struct NamedKey {
    verifying: VerifyingKey,
    /// `None`: tokens do not name the key.
    kid: Option<Box<str>>,
    /// The header, in base64url, of the tokens that the key signs.
    header: Box<str>,
}

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

    /// Sets `iss` of new tokens, and rejects tokens without it (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.validation_mut().issuer = Some(issuer.into().into());
        self
    }

    /// Sets `aud` of new tokens, and rejects tokens without it (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.validation_mut().audience = Some(audience.into().into());
        self
    }

    /// Sets the leeway: tokens are accepted until `leeway` after `exp` and from `leeway` before
    /// `nbf`.
    ///
    /// Defaults to 0; at most 300 seconds, to the millisecond.
    ///
    /// # Errors
    ///
    /// [`KeyringError::LeewayTooLong`].
    pub fn leeway(mut self, leeway: Duration) -> Result<Self, KeyringError> {
        let millis = i64::try_from(leeway.as_millis()).unwrap_or(i64::MAX);
        if millis > 300_000 {
            return Err(KeyringError::LeewayTooLong);
        }
        self.validation_mut().leeway = millis;
        Ok(self)
    }

    fn validation_mut(&mut self) -> &mut Validation {
        // What was verified under other rules does not count under the new ones.
        self.verified = Arc::default();
        Arc::make_mut(&mut self.validation)
    }

    /// Signs a token for the session `id` (RFC 7515 section 5.1).
    ///
    /// # Errors
    ///
    /// [`TokenError`] if the claims contain a reserved one, are too long or have impossible times,
    /// or if the key ring has no signing key.
    pub fn sign(&self, id: &SessionId, claims: &NewClaims<'_>) -> Result<Token, TokenError> {
        let (Some(signer), Some(key)) = (&self.keys.signing, self.keys.verifying.first()) else {
            return Err(TokenError::NoSigningKey);
        };
        let payload = encoding::base64url(claims.payload(id, &self.validation)?);
        let message = format!("{}.{payload}", key.header);
        let signature = signer.sign(message.as_bytes()).ok_or(TokenError::Signing)?;
        let token = format!("{message}.{}", encoding::base64url(signature));
        if token.len() > Token::MAX_LEN {
            return Err(TokenError::TooLong);
        }
        Ok(Token::new(token))
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
        // Before anything is decoded, so that an unverified token has a limited cost.
        if token.len() > Token::MAX_LEN {
            return Err(TokenRejection::TooLong);
        }
        let (now, digest) = (unix_millis(now), VerifiedTokens::digest(token));
        if let Some(claims) = digest.and_then(|digest| self.verified.find(&digest)) {
            let (expires_at, not_before) = (claims.expires_at, claims.not_before);
            self.validation.check_times(expires_at, not_before, now)?;
            return Ok(claims);
        }
        let mut parts = token.split('.');
        let [Some(header), Some(payload), Some(signature), None] = [(); 4].map(|()| parts.next())
        else {
            return Err(TokenRejection::Malformed);
        };
        let message = &token[..header.len() + 1 + payload.len()];
        self.keys.verify(header, message.as_bytes(), signature)?;
        // Not decoded before: nothing is revealed about claims that this key ring did not sign.
        let payload = encoding::decode_base64url_text(payload).ok_or(TokenRejection::Malformed)?;
        let claims = self.validation.check(payload, now)?;
        if let Some(digest) = digest {
            self.verified.keep(digest, claims.clone());
        }
        Ok(claims)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("algorithm", &self.keys.algorithm)
            .field("keys", &self.keys.verifying.len())
            .finish_non_exhaustive()
    }
}

impl Keys {
    fn verify(&self, header: &str, message: &[u8], signature: &str) -> Result<(), TokenRejection> {
        let keys = self.candidates(header)?;
        // On the stack, so that a forged token costs no allocation.
        let mut buffer = [0; MAX_SIGNATURE];
        if signature.len() > MAX_SIGNATURE / 3 * 4 {
            return Err(TokenRejection::Signature);
        }
        let length = encoding::decode_base64url(signature, &mut buffer);
        let signature = &buffer[..length.ok_or(TokenRejection::Malformed)?];
        let mut keys = keys.iter();
        keys.any(|key| key.verifying.verify(message, signature))
            .then_some(())
            .ok_or(TokenRejection::Signature)
    }

    /// Returns the keys that may have signed a token with this header.
    fn candidates(&self, header: &str) -> Result<&[NamedKey], TokenRejection> {
        let mut keys = self.verifying.iter();
        // Nearly every token has, byte for byte, a header that this key ring writes, whose content
        // is known without decoding it.
        let kid = match keys.clone().find(|key| *key.header == *header) {
            Some(key) => key.kid.as_deref().map(Cow::Borrowed),
            None => header::check(header, self.algorithm)?.map(Cow::Owned),
        };
        match kid.filter(|_| keys.clone().any(|key| key.kid.is_some())) {
            Some(kid) => keys
                .find(|key| key.kid.as_deref() == Some(&*kid))
                .map(slice::from_ref)
                .ok_or(TokenRejection::HeaderParam),
            // Tokens from before the keys had names are still accepted.
            None => Ok(&self.verifying),
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
        let named = |kid: Option<Box<str>>, verifying| NamedKey {
            verifying,
            header: header::encode(algorithm, kid.as_deref()),
            kid,
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
        let keys = Keys {
            algorithm,
            signing,
            verifying,
        };
        Ok(Keyring {
            keys: Arc::new(keys),
            validation: Arc::default(),
            verified: Arc::default(),
        })
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
