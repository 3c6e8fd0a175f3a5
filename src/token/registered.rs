//! The registered claims of a token (RFC 7519 section 4.1).

use super::numeric_date::NumericDate;
use super::object;
use super::policy::Policy;
use crate::id::SessionId;
use crate::token_rejection::TokenRejection;

/// The registered claims, each as the JSON text of its value; `None` if the token lacks it.
#[derive(Default)]
pub(super) struct Registered<'a> {
    jti: Option<&'a str>,
    iat: Option<&'a str>,
    sub: Option<&'a str>,
    exp: Option<&'a str>,
    nbf: Option<&'a str>,
    iss: Option<&'a str>,
    aud: Option<&'a str>,
}

/// What a token in force says.
pub(super) struct InForce {
    pub(super) id: SessionId,
    pub(super) subject: Option<Box<str>>,
    pub(super) issued_at: Option<NumericDate>,
    pub(super) expires_at: Option<NumericDate>,
}

impl<'a> Registered<'a> {
    /// Finds the claims in a payload whose signature is already verified.
    pub(super) fn read(payload: &'a str) -> Result<Self, TokenRejection> {
        let mut claims = Self::default();
        object::members(payload, |name, value| {
            let claim = match name {
                "jti" => &mut claims.jti,
                "iat" => &mut claims.iat,
                "sub" => &mut claims.sub,
                "exp" => &mut claims.exp,
                "nbf" => &mut claims.nbf,
                "iss" => &mut claims.iss,
                "aud" => &mut claims.aud,
                _ => return,
            };
            *claim = Some(value);
        })
        .ok_or(TokenRejection::Malformed)?;
        Ok(claims)
    }

    /// Judges the claims: types first, then time, issuer and audience, then the session id.
    pub(super) fn check(
        self,
        policy: &Policy,
        now: NumericDate,
    ) -> Result<InForce, TokenRejection> {
        let (expires_at, not_before) = (date(self.exp)?, date(self.nbf)?);
        let issued_at = date(self.iat)?;
        let subject = text(self.sub)?;
        if expires_at.is_some_and(|exp| now >= exp.plus_millis(policy.leeway)) {
            return Err(TokenRejection::Expired);
        }
        if not_before.is_some_and(|nbf| now < nbf.plus_millis(-policy.leeway)) {
            return Err(TokenRejection::NotYetValid);
        }
        self.check_issuer(policy)?;
        self.check_audience(policy)?;
        Ok(InForce {
            id: self.session_id()?,
            subject,
            issued_at,
            expires_at,
        })
    }

    fn check_issuer(&self, policy: &Policy) -> Result<(), TokenRejection> {
        let Some(expected) = policy.issuer.as_deref() else {
            return Ok(());
        };
        let issuer = self.iss.and_then(object::text);
        let same = issuer.is_some_and(|issuer| issuer == expected);
        same.then_some(()).ok_or(TokenRejection::Issuer)
    }

    /// `aud` is a string or an array of nothing but strings (RFC 7519 section 4.1.3).
    fn check_audience(&self, policy: &Policy) -> Result<(), TokenRejection> {
        let Some(expected) = policy.audience.as_deref() else {
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

    fn session_id(&self) -> Result<SessionId, TokenRejection> {
        let id = object::text(self.jti.ok_or(TokenRejection::MissingId)?);
        SessionId::parse(id.ok_or(TokenRejection::InvalidId)?)
            .map_err(|_| TokenRejection::InvalidId)
    }
}

fn text(claim: Option<&str>) -> Result<Option<Box<str>>, TokenRejection> {
    claim
        .map(|json| {
            object::text(json)
                .map(Into::into)
                .ok_or(TokenRejection::Claim)
        })
        .transpose()
}

fn date(claim: Option<&str>) -> Result<Option<NumericDate>, TokenRejection> {
    claim
        .map(|json| NumericDate::parse(json).ok_or(TokenRejection::Claim))
        .transpose()
}
