//! The registered claims of a token (RFC 7519 section 4.1).

use std::sync::Arc;

use super::numeric_date::NumericDate;
use super::object;
use super::validation::Validation;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// The registered claims that are checked, each as the JSON text of its value.
///
/// `None`: the token does not have the claim, or it is not checked. `sub` is not among them: the
/// owner of a session comes from its record, so any value is accepted.
#[derive(Default)]
pub(super) struct RegisteredClaims<'a> {
    jti: Option<&'a str>,
    iat: Option<&'a str>,
    exp: Option<&'a str>,
    nbf: Option<&'a str>,
    iss: Option<&'a str>,
    aud: Option<&'a str>,
}

/// What remains of the registered claims once they are found to be valid.
pub(super) struct ValidClaims {
    pub(super) id: SessionId,
    pub(super) issued_at: Option<NumericDate>,
    pub(super) expires_at: Option<NumericDate>,
}

impl<'a> RegisteredClaims<'a> {
    /// Reads the claims from a payload whose signature is already verified.
    pub(super) fn read(payload: &'a str, validation: &Validation) -> Result<Self, TokenRejection> {
        let mut claims = Self::default();
        let wanted = |name: &str| match name {
            "jti" | "iat" | "exp" | "nbf" => true,
            "iss" => validation.issuer.is_some(),
            "aud" => validation.audience.is_some(),
            _ => false,
        };
        object::members(payload, wanted, |name, value| {
            let claim = match name {
                "jti" => &mut claims.jti,
                "iat" => &mut claims.iat,
                "exp" => &mut claims.exp,
                "nbf" => &mut claims.nbf,
                "iss" => &mut claims.iss,
                _ => &mut claims.aud,
            };
            *claim = Some(value);
        })
        .ok_or(TokenRejection::Malformed)?;
        Ok(claims)
    }

    /// Validates the claims of `payload`: types first, then times, issuer and audience, then the
    /// session id.
    pub(super) fn validate(
        self,
        payload: &Arc<str>,
        validation: &Validation,
        now: NumericDate,
    ) -> Result<ValidClaims, TokenRejection> {
        let (expires_at, not_before) = (date(self.exp)?, date(self.nbf)?);
        let issued_at = date(self.iat)?;
        if expires_at.is_some_and(|exp| now >= exp.plus_millis(validation.leeway)) {
            return Err(TokenRejection::Expired);
        }
        if not_before.is_some_and(|nbf| now < nbf.plus_millis(-validation.leeway)) {
            return Err(TokenRejection::NotYetValid);
        }
        self.check_issuer(validation)?;
        self.check_audience(validation)?;
        Ok(ValidClaims {
            id: self.session_id(payload)?,
            issued_at,
            expires_at,
        })
    }

    fn check_issuer(&self, validation: &Validation) -> Result<(), TokenRejection> {
        let Some(expected) = validation.issuer.as_deref() else {
            return Ok(());
        };
        let issuer = self.iss.and_then(object::text);
        let same = issuer.is_some_and(|issuer| issuer == expected);
        same.then_some(()).ok_or(TokenRejection::Issuer)
    }

    /// `aud` is a string or an array of strings only (RFC 7519 section 4.1.3).
    fn check_audience(&self, validation: &Validation) -> Result<(), TokenRejection> {
        let Some(expected) = validation.audience.as_deref() else {
            return Ok(());
        };
        let aud = self.aud.ok_or(TokenRejection::Audience)?;
        let included = match object::text(aud) {
            Some(audience) => audience == expected,
            None => serde_json::from_str::<Vec<String>>(aud)
                .is_ok_and(|audiences| audiences.iter().any(|audience| audience == expected)),
        };
        included.then_some(()).ok_or(TokenRejection::Audience)
    }

    fn session_id(&self, payload: &Arc<str>) -> Result<SessionId, TokenRejection> {
        let id = object::text(self.jti.ok_or(TokenRejection::MissingId)?);
        SessionId::parse_within(payload, &id.ok_or(TokenRejection::InvalidId)?)
            .map_err(|_| TokenRejection::InvalidId)
    }
}

fn date(claim: Option<&str>) -> Result<Option<NumericDate>, TokenRejection> {
    claim
        .map(|json| NumericDate::parse(json).ok_or(TokenRejection::Claim))
        .transpose()
}
