//! Validation of the claims of a token (RFC 7519 sections 4.1 and 7.2).

use std::sync::Arc;

use super::claims::Claims;
use super::{numeric_date, object};
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// What a key ring requires of claims; defaults to any issuer, any audience, no leeway.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Validation {
    /// `None`: `iss` is not checked.
    pub(super) issuer: Option<Box<str>>,
    /// `None`: `aud` is not checked.
    pub(super) audience: Option<Box<str>>,
    /// Milliseconds.
    pub(super) leeway: i64,
}

impl Validation {
    /// Returns the names of the claims that the session sets, which the application must not.
    pub(super) fn reserved(&self) -> &'static [&'static str] {
        match (&self.issuer, &self.audience) {
            (None, None) => &["jti", "iat", "sub", "exp"],
            (Some(_), None) => &["jti", "iat", "sub", "exp", "iss"],
            (None, Some(_)) => &["jti", "iat", "sub", "exp", "aud"],
            (Some(_), Some(_)) => &["jti", "iat", "sub", "exp", "iss", "aud"],
        }
    }

    /// Validates a payload whose signature is already verified, at `now` in Unix milliseconds.
    ///
    /// Checks types first, then times, issuer and audience, then the session id.
    pub(super) fn check(&self, payload: Arc<str>, now: i64) -> Result<Claims, TokenRejection> {
        // `sub` is not among them: the owner of a session comes from its record, and npm
        // applications set any value. `iss` and `aud` are ordinary claims unless configured.
        let iss = self.issuer.as_ref().map(|_| "iss");
        let aud = self.audience.as_ref().map(|_| "aud");
        let names = [Some("jti"), Some("iat"), Some("exp"), Some("nbf"), iss, aud];
        let [jti, iat, exp, nbf, iss, aud] =
            object::members(&payload, names).ok_or(TokenRejection::Malformed)?;
        let (expires_at, not_before, issued_at) = (date(exp)?, date(nbf)?, date(iat)?);
        self.check_times(expires_at, not_before, now)?;
        if iss.and_then(object::text).as_deref() != self.issuer.as_deref() {
            return Err(TokenRejection::Issuer);
        }
        if let Some(audience) = self.audience.as_deref()
            && !aud.is_some_and(|aud| includes(aud, audience))
        {
            return Err(TokenRejection::Audience);
        }
        Ok(Claims {
            id: session_id(jti, &payload)?,
            issued_at,
            expires_at,
            not_before,
            reserved: self.reserved(),
            payload,
        })
    }

    /// Checks whether claims with these times are valid at `now`, all in Unix milliseconds.
    pub(super) fn check_times(
        &self,
        expires_at: Option<i64>,
        not_before: Option<i64>,
        now: i64,
    ) -> Result<(), TokenRejection> {
        if expires_at.is_some_and(|exp| now >= exp.saturating_add(self.leeway)) {
            return Err(TokenRejection::Expired);
        }
        if not_before.is_some_and(|nbf| now < nbf.saturating_sub(self.leeway)) {
            return Err(TokenRejection::NotYetValid);
        }
        Ok(())
    }
}

/// Returns the time in Unix milliseconds.
fn date(claim: Option<&str>) -> Result<Option<i64>, TokenRejection> {
    claim
        .map(|json| numeric_date::parse(json).ok_or(TokenRejection::Claim))
        .transpose()
}

/// Returns whether `aud`, a string or an array of strings only, names `audience`.
fn includes(aud: &str, audience: &str) -> bool {
    match object::text(aud) {
        Some(only) => only == audience,
        None => serde_json::from_str::<Vec<String>>(aud)
            .is_ok_and(|audiences| audiences.iter().any(|other| other == audience)),
    }
}

fn session_id(jti: Option<&str>, payload: &Arc<str>) -> Result<SessionId, TokenRejection> {
    let id = object::text(jti.ok_or(TokenRejection::MissingId)?);
    SessionId::parse_within(payload, &id.ok_or(TokenRejection::InvalidId)?)
        .map_err(|_| TokenRejection::InvalidId)
}
