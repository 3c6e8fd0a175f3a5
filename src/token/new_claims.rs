//! The claims of a new token.

use std::fmt;
use std::time::SystemTime;

use serde::Serialize;
use serde_json::{Map, Value};

use super::error::TokenError;
use super::numeric_date;
use super::validation::Validation;
use crate::clock::unix_millis;
use crate::id::SessionId;

/// Name of the claim with the time at which the user last authenticated (OpenID Connect Core 1.0,
/// section 2).
pub(crate) const AUTH_TIME: &str = "auth_time";

/// Claims of a token to be signed, besides the session id.
///
/// Times are written in whole Unix seconds, rounded down. `Debug` prints no value.
///
/// See the [module](crate::token) for an example.
#[derive(Clone, Copy)]
pub struct NewClaims<'a>(Payload<'a>);

/// Content of a token; `FORMAT.md` promises this order. Times are Unix seconds.
#[derive(Clone, Copy, Default, Serialize)]
struct Payload<'a> {
    /// `None` until the token is signed, as `iss` and `aud` are.
    jti: Option<&'a SessionId>,
    iat: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    #[serde(flatten)]
    custom: Option<&'a Map<String, Value>>,
}

impl<'a> NewClaims<'a> {
    /// Creates claims with `iat` only.
    #[must_use]
    pub fn at(issued_at: SystemTime) -> Self {
        Self(Payload {
            iat: unix_millis(issued_at).div_euclid(1000),
            ..Payload::default()
        })
    }

    /// Sets `sub`: the owner of the session.
    #[must_use]
    pub fn subject(mut self, subject: &'a str) -> Self {
        self.0.sub = Some(subject);
        self
    }

    /// Sets `exp`: the time from which on the token is rejected.
    #[must_use]
    pub fn expires_at(self, expires_at: SystemTime) -> Self {
        self.expires_at_unix(unix_millis(expires_at).div_euclid(1000))
    }

    /// Sets `exp` in Unix seconds.
    pub(crate) fn expires_at_unix(mut self, expires_at: i64) -> Self {
        self.0.exp = Some(expires_at);
        self
    }

    /// Sets `auth_time`: when the user last authenticated, in Unix seconds.
    pub(crate) fn authenticated_at_unix(mut self, authenticated_at: Option<i64>) -> Self {
        self.0.auth_time = authenticated_at;
        self
    }

    /// Sets the claims of the application; their names are checked when the token is signed.
    #[must_use]
    pub fn custom(mut self, custom: &'a Map<String, Value>) -> Self {
        self.0.custom = Some(custom);
        self
    }

    pub(super) fn has_custom(&self) -> bool {
        self.0.custom.is_some_and(|custom| !custom.is_empty())
    }

    /// Encodes the payload of a token that [`Validation::check`] accepts until it expires.
    pub(super) fn payload(
        &self,
        id: &SessionId,
        validation: &Validation,
    ) -> Result<Vec<u8>, TokenError> {
        let valid = |seconds: i64| (0..=numeric_date::MAX_SECONDS).contains(&seconds);
        if !valid(self.0.iat)
            || ![self.0.exp, self.0.auth_time]
                .into_iter()
                .flatten()
                .all(valid)
        {
            return Err(TokenError::Time);
        }
        if let Some(custom) = self.0.custom {
            check_custom(custom, validation)?;
        }
        let payload = Payload {
            jti: Some(id),
            iss: validation.issuer.as_deref(),
            aud: validation.audience.as_deref(),
            ..self.0
        };
        serde_json::to_vec(&payload).map_err(|_| TokenError::Signing)
    }
}

fn check_custom(custom: &Map<String, Value>, validation: &Validation) -> Result<(), TokenError> {
    let mut reserved = validation.reserved().iter();
    if let Some(name) = reserved.find(|name| custom.contains_key(**name)) {
        return Err(TokenError::ReservedClaim(name));
    }
    match custom.get("nbf") {
        Some(nbf) if numeric_date::parse(&nbf.to_string()).is_none() => {
            Err(TokenError::InvalidClaim("nbf"))
        }
        _ => Ok(()),
    }
}

impl fmt::Debug for NewClaims<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewClaims([redacted])")
    }
}
