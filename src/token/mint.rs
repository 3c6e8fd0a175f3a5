//! The claims of a token about to be signed.

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

use super::error::TokenError;
use super::numeric_date::NumericDate;
use super::policy::Policy;
use crate::id::SessionId;

/// What a new token will say besides its session id.
#[derive(Clone, Copy)]
pub struct NewClaims<'a> {
    pub(super) issued_at: i64,
    pub(super) subject: Option<&'a str>,
    pub(super) expires_at: Option<i64>,
    pub(super) custom: Option<&'a Map<String, Value>>,
}

impl<'a> NewClaims<'a> {
    /// Starts with `iat` alone: seconds since 1970.
    #[must_use]
    pub fn at(issued_at: i64) -> Self {
        Self {
            issued_at,
            subject: None,
            expires_at: None,
            custom: None,
        }
    }

    /// Sets `sub`, the owner of the session.
    #[must_use]
    pub fn subject(mut self, subject: &'a str) -> Self {
        self.subject = Some(subject);
        self
    }

    /// Sets `exp`, from when on the token is refused: seconds since 1970.
    #[must_use]
    pub fn expires_at(mut self, expires_at: i64) -> Self {
        self.expires_at = Some(expires_at);
        self
    }

    /// Adds the caller's own claims; their names are checked when the token is signed.
    #[must_use]
    pub fn custom(mut self, custom: &'a Map<String, Value>) -> Self {
        self.custom = Some(custom);
        self
    }

    pub(super) fn has_custom(&self) -> bool {
        self.custom.is_some_and(|custom| !custom.is_empty())
    }

    /// Writes the payload: jti, iat, sub, exp, iss, aud, then the caller's own.
    pub(super) fn payload(&self, id: &SessionId, policy: &Policy) -> Result<Vec<u8>, TokenError> {
        self.check_times()?;
        self.check_custom(policy)?;
        let payload = Payload {
            id,
            claims: self,
            policy,
        };
        serde_json::to_vec(&payload).map_err(|_| TokenError::Encoding)
    }

    fn check_times(&self) -> Result<(), TokenError> {
        let sensible = |seconds: i64| (0..=NumericDate::MAX_SECONDS).contains(&seconds);
        let all = sensible(self.issued_at) && self.expires_at.is_none_or(sensible);
        all.then_some(()).ok_or(TokenError::Time)
    }

    fn check_custom(&self, policy: &Policy) -> Result<(), TokenError> {
        let Some(custom) = self.custom else {
            return Ok(());
        };
        if let Some(name) = policy
            .reserved()
            .names()
            .find(|&name| custom.contains_key(name))
        {
            return Err(TokenError::ReservedClaim(name));
        }
        match custom.get("nbf") {
            Some(nbf) if NumericDate::parse(&nbf.to_string()).is_none() => {
                Err(TokenError::InvalidClaim("nbf"))
            }
            _ => Ok(()),
        }
    }
}

impl std::fmt::Debug for NewClaims<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewClaims([redacted])")
    }
}

struct Payload<'a> {
    id: &'a SessionId,
    claims: &'a NewClaims<'a>,
    policy: &'a Policy,
}

impl Serialize for Payload<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("jti", self.id)?;
        map.serialize_entry("iat", &self.claims.issued_at)?;
        if let Some(subject) = self.claims.subject {
            map.serialize_entry("sub", subject)?;
        }
        if let Some(expires_at) = self.claims.expires_at {
            map.serialize_entry("exp", &expires_at)?;
        }
        if let Some(issuer) = &self.policy.issuer {
            map.serialize_entry("iss", issuer)?;
        }
        if let Some(audience) = &self.policy.audience {
            map.serialize_entry("aud", audience)?;
        }
        for (name, value) in self.claims.custom.into_iter().flatten() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
