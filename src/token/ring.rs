//! The keys and rules with which a key ring signs and verifies.

use std::borrow::Cow;
use std::slice;
use std::sync::Arc;
use std::time::SystemTime;

use super::algorithm::Algorithm;
use super::claims::Claims;
use super::error::TokenError;
use super::header;
use super::jwk::Jwk;
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

/// Keys and rules of a key ring, which never change: a reload replaces all of it.
pub(super) struct Ring {
    pub(super) keys: Arc<Keys>,
    pub(super) validation: Validation,
    /// Of these keys and this validation.
    pub(super) verified: VerifiedTokens,
}

/// Prepared keys of a key ring.
pub(super) struct Keys {
    pub(super) algorithm: Algorithm,
    /// `None`: the key ring only verifies. The verifying half is the first of `verifying`.
    pub(super) signing: Option<SigningKey>,
    /// One to three.
    pub(super) verifying: Vec<NamedKey>,
}

pub(super) struct NamedKey {
    pub(super) verifying: VerifyingKey,
    /// `None`: tokens do not name the key.
    pub(super) kid: Option<Box<str>>,
    /// The header, in base64url, of the tokens that the key signs.
    pub(super) header: Box<str>,
}

impl Ring {
    pub(super) fn new(keys: Arc<Keys>, validation: Validation) -> Self {
        Self {
            keys,
            validation,
            verified: VerifiedTokens::default(),
        }
    }

    /// Returns the same keys and rules without the tokens that were verified.
    pub(super) fn unused(&self) -> Self {
        Self::new(Arc::clone(&self.keys), self.validation.clone())
    }

    /// Returns whether this key ring verifies what `current` signs now. A key ring that only
    /// verifies signs nothing.
    pub(super) fn accepts_tokens_of(&self, current: &Self) -> bool {
        let (id, now) = (SessionId::random(), SystemTime::now());
        match current.sign(&id, &NewClaims::at(now)) {
            Ok(token) => self.verify(token.as_str(), unix_millis(now)).is_ok(),
            Err(error) => error == TokenError::NoSigningKey,
        }
    }

    pub(super) fn sign(&self, id: &SessionId, claims: &NewClaims<'_>) -> Result<Token, TokenError> {
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

    /// `now` is in Unix milliseconds.
    pub(super) fn verify(&self, token: &str, now: i64) -> Result<Claims, TokenRejection> {
        // Before anything is decoded, so that an unverified token has a limited cost.
        if token.len() > Token::MAX_LEN {
            return Err(TokenRejection::TooLong);
        }
        let digest = VerifiedTokens::digest(token);
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

impl Keys {
    /// Returns the public keys as a JWK Set.
    pub(super) fn jwks(&self) -> String {
        let algorithm = self.algorithm;
        let jwk = |key: &NamedKey| {
            let jwk = Jwk::of(algorithm, &key.verifying)?;
            Some(jwk.to_json(algorithm, key.kid.as_deref()))
        };
        let keys: Vec<_> = self.verifying.iter().filter_map(jwk).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(","))
    }

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
