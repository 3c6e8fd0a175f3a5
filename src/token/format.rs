//! Token formats: signed or opaque.

use std::time::SystemTime;

use super::claims::Verified;
use super::error::TokenError;
use super::keyring::Keyring;
use super::new_claims::NewClaims;
use super::opaque::OpaqueTokens;
use super::token_text::Token;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// Format of the tokens of an application; converted from a [`Keyring`] or [`OpaqueTokens`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TokenFormat {
    /// Signed tokens (RFC 7519), which contain the session id.
    Jwt(Keyring),
    /// Random tokens, whose hash is the session id.
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
    /// Verifies a token without reading the store.
    ///
    /// `require_exp` rejects a JWT without `exp`. The end of an opaque token's session is in the
    /// record only.
    pub(crate) fn identify(
        &self,
        token: &str,
        now: SystemTime,
        require_exp: bool,
    ) -> Result<Verified, TokenRejection> {
        let (id, claims) = match self {
            Self::Jwt(keyring) => {
                let claims = keyring.verify(token, now)?;
                if require_exp && claims.expires_at.is_none() {
                    return Err(TokenRejection::Claim);
                }
                (claims.id.clone(), Some(claims))
            }
            Self::Opaque(tokens) => (tokens.identify(token)?, None),
        };
        Ok(Verified { id, claims })
    }

    /// Returns the leeway for clock differences in milliseconds. Opaque tokens have none.
    pub(crate) fn leeway_millis(&self) -> i64 {
        match self {
            Self::Jwt(keyring) => keyring.leeway_millis(),
            Self::Opaque(_) => 0,
        }
    }

    /// Issues a token for a chosen session id.
    ///
    /// An opaque token cannot be issued: its id is the hash of the token.
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

    /// Creates a session id and issues its token.
    ///
    /// A JWT takes the id from `new_id`. The id of an opaque token is its hash, and it holds no
    /// claims: those of the application are an error, the others are in the record.
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
