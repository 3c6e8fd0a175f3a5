//! What tokens look like: signed, or opaque.

use std::time::SystemTime;

use super::error::TokenError;
use super::keyring::Keyring;
use super::mint::NewClaims;
use super::opaque::OpaqueTokens;
use super::text::Token;
use super::verified::Verified;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// Decides what tokens look like; made from a [`Keyring`] or from [`OpaqueTokens`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenFormat {
    /// Signed tokens (RFC 7519): the session id stands in them.
    Jwt(Keyring),
    /// Random tokens: the session id is their hash.
    Opaque(OpaqueTokens),
}

impl From<Keyring> for TokenFormat {
    fn from(keyring: Keyring) -> Self {
        Self::Jwt(keyring)
    }
}

impl From<OpaqueTokens> for TokenFormat {
    fn from(tokens: OpaqueTokens) -> Self {
        Self::Opaque(tokens)
    }
}

impl TokenFormat {
    /// Finds the session of a presented token, without asking the store.
    ///
    /// `require_exp` refuses a JWT that never runs out; of an opaque token only the record knows.
    pub(crate) fn identify(
        &self,
        token: &str,
        now: SystemTime,
        require_exp: bool,
    ) -> Result<Verified, TokenRejection> {
        match self {
            Self::Jwt(keyring) => {
                let claims = keyring.verify(token, now)?;
                if require_exp && claims.expires_at().is_none() {
                    return Err(TokenRejection::Claim);
                }
                let (id, claims) = (claims.id().clone(), Some(claims));
                Ok(Verified { id, claims })
            }
            Self::Opaque(tokens) => {
                let (id, claims) = (tokens.identify(token)?, None);
                Ok(Verified { id, claims })
            }
        }
    }

    /// Returns the leeway for clock differences in milliseconds. Opaque tokens have none.
    pub(crate) fn leeway_millis(&self) -> i64 {
        match self {
            Self::Jwt(keyring) => keyring.leeway_millis(),
            Self::Opaque(_) => 0,
        }
    }

    /// Makes the token for a session whose id the caller has chosen.
    ///
    /// An opaque token has an id of its own, so it cannot be made.
    pub(crate) fn issue_as(
        &self,
        id: &SessionId,
        claims: &NewClaims<'_>,
    ) -> Result<Token, TokenError> {
        match self {
            Self::Jwt(keyring) => keyring.sign(id, claims),
            Self::Opaque(_) => Err(TokenError::IdUnsupported),
        }
    }

    /// Makes a new session id and its token.
    ///
    /// A JWT takes the id that `new_id` draws; an opaque token has its own, and keeps nothing of
    /// `claims`: it refuses the caller's own, the rest stands in the record.
    pub(crate) fn issue(
        &self,
        claims: &NewClaims<'_>,
        new_id: impl FnOnce() -> SessionId,
    ) -> Result<(SessionId, Token), TokenError> {
        match self {
            Self::Jwt(keyring) => {
                let id = new_id();
                let token = keyring.sign(&id, claims)?;
                Ok((id, token))
            }
            Self::Opaque(_) if claims.has_custom() => Err(TokenError::ClaimsUnsupported),
            Self::Opaque(tokens) => Ok(tokens.issue()),
        }
    }
}
