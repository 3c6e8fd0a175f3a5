//! The keys that tokens are signed and verified with.

use std::fmt;
use std::slice;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::compact::{self, Compact};
use super::error::{KeyringError, TokenError};
use super::header::{self, Kid};
use super::mint::NewClaims;
use super::numeric_date::NumericDate;
use super::policy::Policy;
use super::prepared::{Signer, Verifier};
use super::registered::Registered;
use super::text::Token;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// Signs tokens with one key and verifies them with up to three, all of one algorithm.
///
/// Every key is prepared and tried out once, when the ring is built; cloning shares it. Rotate a
/// key by building the next ring with the old one as
/// [`previous`](super::KeyringBuilder::previous). By default any issuer and audience is accepted
/// and there is no leeway.
///
/// ```
/// use std::time::{Duration, UNIX_EPOCH};
/// use jwt_redis_session::{Keyring, NewClaims, TokenRejection, SessionId};
///
/// # let secret: [u8; 32] = std::array::from_fn(|n| n as u8);
/// let keyring = Keyring::hs256(secret)?.issuer("https://shop.example");
/// let id = SessionId::random();
/// let token = keyring.sign(&id, &NewClaims::at(1_700_000_000).expires_at(1_700_000_060))?;
///
/// let at = |seconds| UNIX_EPOCH + Duration::from_secs(seconds);
/// assert_eq!(keyring.verify(token.as_str(), at(1_700_000_059)).unwrap().id(), &id);
/// assert_eq!(
///     keyring.verify(token.as_str(), at(1_700_000_060)).unwrap_err(),
///     TokenRejection::Expired
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Keyring {
    keys: Arc<Keys>,
    policy: Arc<Policy>,
}

/// The keys of a ring, ready for use.
pub(super) struct Keys {
    pub(super) algorithm: Algorithm,
    /// `None`: the ring only verifies. Its other half is the first of `verifying`.
    pub(super) signing: Option<Signer>,
    /// One to three.
    pub(super) verifying: Vec<NamedKey>,
}

pub(super) struct NamedKey {
    pub(super) verifier: Verifier,
    /// `None`: tokens do not name the key.
    pub(super) kid: Option<Box<str>>,
    /// The header, in base64url, of the tokens that we sign with the key.
    pub(super) header: Box<str>,
}

impl Keyring {
    /// Signs with `iss` and accepts no other, nor none (RFC 7519 section 4.1.1).
    #[must_use]
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.policy).issuer = Some(issuer.into().into());
        self
    }

    /// Signs with `aud` and accepts no token without it (RFC 7519 section 4.1.3).
    #[must_use]
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        Arc::make_mut(&mut self.policy).audience = Some(audience.into().into());
        self
    }

    /// Accepts tokens until `leeway` after `exp`, and from `leeway` before `nbf` on.
    ///
    /// Defaults to 0; at most 300 seconds, to the millisecond.
    ///
    /// # Errors
    ///
    /// [`KeyringError::LeewayTooLong`].
    pub fn leeway(mut self, leeway: Duration) -> Result<Self, KeyringError> {
        if leeway > Duration::from_secs(300) {
            return Err(KeyringError::LeewayTooLong);
        }
        let millis = i64::try_from(leeway.as_millis()).map_err(|_| KeyringError::LeewayTooLong)?;
        Arc::make_mut(&mut self.policy).leeway = millis;
        Ok(self)
    }

    pub(super) fn leeway_millis(&self) -> i64 {
        self.policy.leeway
    }

    /// The algorithm of all its keys.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        self.keys.algorithm
    }

    /// Signs a token for the session `id` (RFC 7515 section 5.1).
    ///
    /// # Errors
    ///
    /// [`TokenError`] if the claims hold what is not the caller's to set, are too long or have
    /// impossible times, or if the ring has no signing key.
    pub fn sign(&self, id: &SessionId, claims: &NewClaims<'_>) -> Result<Token, TokenError> {
        let (Some(signer), Some(key)) = (&self.keys.signing, self.keys.verifying.first()) else {
            return Err(TokenError::NoSigningKey);
        };
        let payload = claims.payload(id, &self.policy)?;
        // Header, payload and an HMAC; longer signatures make it grow.
        let mut token = String::with_capacity(key.header.len() + payload.len() * 4 / 3 + 96);
        token.push_str(&key.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let mut signature = String::new();
        signer
            .sign(token.as_bytes(), &mut signature)
            .ok_or(TokenError::Signing)?;
        token.push('.');
        token.push_str(&signature);
        if token.len() > Token::MAX_LEN {
            return Err(TokenError::TooLong);
        }
        Ok(Token::new(token))
    }

    /// Verifies that a token was signed by a key of the ring and is in force at `now`.
    ///
    /// In this order: length, form, header, signature, claims (RFC 7519 section 7.2, RFC 8725).
    ///
    /// # Errors
    ///
    /// [`TokenRejection`] with the first of these that fails. The reason is for logs; do not tell it to
    /// the client.
    pub fn verify(&self, token: &str, now: SystemTime) -> Result<Claims, TokenRejection> {
        let token = Compact::split(token)?;
        let candidates = self.keys.candidates(token.header)?;
        verify_with_any(candidates, token)?;
        let payload = compact::decode(token.payload)?;
        let claims = Registered::read(&payload)?.check(&self.policy, NumericDate::of(now))?;
        Ok(Claims::new(claims, payload, self.policy.reserved()))
    }

    pub(super) fn new(keys: Keys) -> Self {
        Self {
            keys: Arc::new(keys),
            policy: Arc::default(),
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
    /// The keys that may have signed a token with this header.
    fn candidates(&self, header: &str) -> Result<&[NamedKey], TokenRejection> {
        // Nearly every token bears, byte for byte, a header that we write ourselves: that one
        // need not be decoded to know what it says.
        if let Some(key) = self.verifying.iter().find(|key| *key.header == *header) {
            return Ok(match key.kid {
                Some(_) => slice::from_ref(key),
                None => &self.verifying,
            });
        }
        let kid = header::check(header, self.algorithm)?;
        if self.verifying.iter().all(|key| key.kid.is_none()) {
            return Ok(&self.verifying);
        }
        let named = |kid: &str| {
            self.verifying
                .iter()
                .find(|key| key.kid.as_deref() == Some(kid))
        };
        match kid {
            Kid::Absent => Ok(&self.verifying),
            Kid::Named(kid) => named(&kid)
                .map(slice::from_ref)
                .ok_or(TokenRejection::HeaderParam),
            Kid::Invalid => Err(TokenRejection::HeaderParam),
        }
    }
}

fn verify_with_any(keys: &[NamedKey], token: Compact<'_>) -> Result<(), TokenRejection> {
    for key in keys {
        match key.verifier.verify(token.signed, token.signature) {
            Err(TokenRejection::Signature) => {}
            decided => return decided,
        }
    }
    Err(TokenRejection::Signature)
}
