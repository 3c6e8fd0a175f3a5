//! Who is at the desk.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use jwt_redis_session::{Session, SessionError, Token, TokenRejection};
use serde::de::DeserializeOwned;

use crate::admin::cookie;
use crate::admin::desk::Desk;
use crate::admin::refusal::Refusal;
use crate::crypto;
use crate::error::ApiError;
use crate::master_keys::Mark;

/// The fields of an operator's session.
const KEY: &str = "key";
const FORM_TOKEN: &str = "form_token";
const NOTICE: &str = "notice";

/// An operator who is logged in.
#[derive(Debug)]
pub(super) struct Operator {
    session: Session,
    form_token: FormToken,
}

/// Stands in each form of the operator, so that no other page can send one in the operator's
/// name.
pub(super) struct FormToken(String);

impl Operator {
    /// Logs an operator in who has shown the key of which this is the mark.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`].
    pub(super) async fn log_in(desk: &Desk, mark: &Mark) -> Result<Token, SessionError> {
        let session = desk.operators.new_session();
        session.insert(KEY, mark.as_str())?;
        session.insert(FORM_TOKEN, crypto::random_text())?;
        session.create().await
    }

    /// The operator whose cookie stands in `headers`, if it is good.
    ///
    /// # Errors
    ///
    /// As the core's, but that there is no session is no error.
    pub(super) async fn of(desk: &Desk, headers: &HeaderMap) -> Result<Option<Self>, SessionError> {
        let Some(token) = cookie::read(headers) else {
            return Ok(None);
        };
        let session = match desk.operators.open(token).await {
            Ok(session) => session,
            Err(SessionError::Rejected(reason)) if reason != TokenRejection::Corrupt => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let mark: Option<String> = session.get(KEY)?;
        let form_token: Option<String> = session.get(FORM_TOKEN)?;
        let good = mark.is_some_and(|mark| desk.masters.contain(&mark));
        Ok(form_token.filter(|_| good).map(|form_token| Self {
            session,
            form_token: FormToken(form_token),
        }))
    }

    pub(super) const fn form_token(&self) -> &FormToken {
        &self.form_token
    }

    /// Logs the operator out.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`]: the operator may still be logged in.
    pub(super) async fn log_out(&self) -> Result<(), SessionError> {
        self.session.destroy().await.map(drop)
    }

    /// What this operator has looked for under `name`.
    pub(super) fn recall<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.session.get(name).ok().flatten()
    }

    /// Keeps what the operator looks for, until another is looked for.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`], [`SessionError::Gone`].
    pub(super) async fn remember(
        &self,
        name: &str,
        value: impl serde::Serialize,
    ) -> Result<(), SessionError> {
        self.session.insert(name, value)?;
        self.session.update().await
    }

    /// Tells the operator on the next page what was done. It is done, whether or not this can be
    /// stored.
    pub(super) async fn notify(&self, notice: &str) {
        if self.session.insert(NOTICE, notice).is_ok() {
            let _ = self.session.update().await;
        }
    }

    /// What the operator is to be told, once.
    pub(super) async fn take_notice(&self) -> Option<String> {
        let notice = self.session.get(NOTICE).ok().flatten()?;
        self.session.remove(NOTICE);
        let _ = self.session.update().await;
        Some(notice)
    }
}

impl FormToken {
    /// What the form must carry.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn equals(&self, sent: &str) -> bool {
        crypto::equal(self.0.as_bytes(), sent.as_bytes())
    }
}

impl std::fmt::Debug for FormToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("FormToken([redacted])")
    }
}

impl FromRequestParts<Arc<Desk>> for Operator {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk>) -> Result<Self, Refusal> {
        match Self::of(desk, &parts.headers).await {
            Ok(Some(operator)) => Ok(operator),
            Ok(None) if parts.method == Method::GET || parts.method == Method::HEAD => {
                Err(Refusal::LogInFirst)
            }
            Ok(None) => Err(Refusal::from(ApiError::unauthorized(
                "you are not logged in, or were inactive for too long: nothing was done",
                "MasterKey realm=\"sessiond\"",
            ))),
            Err(error) => Err(error.into()),
        }
    }
}
