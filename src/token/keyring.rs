//! Key rings: signing and verifying tokens.

use std::fmt;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::error::{KeyringError, TokenError};
use super::jws::{self, Jws};
use super::new_claims::NewClaims;
use super::numeric_date::NumericDate;
use super::signer::{Signer, Verifier};
use super::token::Token;
use super::validation::Validation;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

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
    validation: Arc<Validation>,
}

/// Prepared keys of a key ring.
pub(super) struct Keys {
    pub(super) algorithm: Algorithm,
    /// `None`: the key ring only verifies. The verifying half is the first of `verifying`.
    pub(super) signing: Option<Signer>,
    /// One to three.
    pub(super) verifying: Vec<NamedKey>,
}

pub(super) struct NamedKey {
    pub(super) verifier: Verifier,
    /// `None`: tokens do not name the key.
    pub(super) kid: Option<Box<str>>,
    /// The header, in base64url, of the tokens that the key signs.
    pub(super) header: Box<str>,
}

impl Keyring {
    /// Sets `iss` of new tokens, and rejects tokens without it (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.validation).issuer = Some(issuer.into().into());
        self
    }

    /// Sets `aud` of new tokens, and rejects tokens without it (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.validation).audience = Some(audience.into().into());
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
        Arc::make_mut(&mut self.validation).leeway = millis;
        Ok(self)
    }

    /// Returns the leeway in milliseconds.
    pub(super) fn leeway_millis(&self) -> i64 {
        self.validation.leeway
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
        let payload = claims.payload(id, &self.validation)?;
        // Header, payload and an HMAC; longer signatures make it grow.
        let mut token = String::with_capacity(key.header.len() + payload.len() * 4 / 3 + 96);
        token.push_str(&key.header);
        jws::push_part(payload, &mut token);
        signer.sign(&mut token).ok_or(TokenError::Signing)?;
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
        let token = Jws::split(token)?;
        self.keys.verify(token)?;
        // Not decoded before: nothing is revealed about claims that this key ring did not sign.
        let payload = jws::decode(token.payload)?;
        self.validation.check(payload, NumericDate::of(now))
    }

    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(keys),
            validation: Arc::default(),
        }
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
    fn verify(&self, token: Jws<'_>) -> Result<(), TokenRejection> {
        for key in self.candidates(token.header)? {
            match key.verifier.verify(token.signed, token.signature) {
                Err(TokenRejection::Signature) => {}
                decided => return decided,
            }
        }
        Err(TokenRejection::Signature)
    }

    /// Returns the keys that may have signed a token with this header.
    fn candidates(&self, header: &str) -> Result<&[NamedKey], TokenRejection> {
        // Nearly every token has, byte for byte, a header that this key ring writes, whose content
        // is known without decoding it.
        if let Some(key) = self.verifying.iter().find(|key| *key.header == *header) {
            return Ok(match key.kid {
                Some(_) => slice::from_ref(key),
                None => &self.verifying,
            });
        }
        let kid = jws::check_header(header, self.algorithm)?;
        let has_names = self.verifying.iter().any(|key| key.kid.is_some());
        match kid.filter(|_| has_names) {
            Some(kid) => {
                let mut keys = self.verifying.iter();
                keys.find(|key| key.kid.as_deref() == Some(&*kid))
                    .map(slice::from_ref)
                    .ok_or(TokenRejection::HeaderParam)
            }
            // Tokens from before the keys had names are still accepted.
            None => Ok(&self.verifying),
        }
    }
}
