//! A logged-in operator.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use jwt_redis_session::{Session, SessionError, Token, TokenRejection};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::admin::cookie;
use crate::admin::error::PageError;
use crate::admin::form_token::{FORM_TOKEN, FormToken};
use crate::admin::page::Note;
use crate::admin::state::AdminState;
use crate::error::ApiError;
use crate::master_keys::KeyFingerprint;

/// The field of the session that holds the fingerprint of the master key.
const KEY: &str = "key";
/// The field of the session that holds the notice for the next page.
const NOTICE: &str = "notice";

#[derive(Debug)]
pub(super) struct Operator {
    session: Session,
    form_token: FormToken,
}

impl Operator {
    /// Creates the session of an operator who presented the key with this fingerprint.
    pub(super) async fn log_in(
        state: &AdminState,
        key: &KeyFingerprint,
    ) -> Result<Token, SessionError> {
        let session = state.operators.new_session();
        session.insert(KEY, key.as_str())?;
        session.insert(FORM_TOKEN, FormToken::random().as_str())?;
        session.create().await
    }

    /// Loads the operator whose token is in a cookie. Returns `None` without a cookie or a
    /// session, or if the master key is no longer configured.
    /// Errors: those of [`Sessions::open`](jwt_redis_session::Sessions::open), except for a token
    /// that names no session.
    async fn load(state: &AdminState, headers: &HeaderMap) -> Result<Option<Self>, SessionError> {
        let Some(token) = cookie::read(headers) else {
            return Ok(None);
        };
        let session = match state.operators.open(token).await {
            Ok(session) => session,
            // A corrupt record is an error of the service, not of the operator.
            Err(SessionError::Rejected(reason)) if reason != TokenRejection::Corrupt => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let key: Option<String> = session.get(KEY)?;
        let form_token: Option<FormToken> = session.get(FORM_TOKEN)?;
        let is_current = key.is_some_and(|key| state.masters.is_current(&key));
        Ok(form_token.filter(|_| is_current).map(|form_token| Self {
            session,
            form_token,
        }))
    }

    pub(super) const fn form_token(&self) -> &FormToken {
        &self.form_token
    }

    /// Ends the operator's session.
    /// Errors: [`SessionError::Unavailable`]: the operator may still be logged in.
    pub(super) async fn log_out(&self) -> Result<(), SessionError> {
        self.session.destroy().await.map(drop)
    }

    /// Returns what [`remember`](Self::remember) stored under `name`.
    pub(super) fn recall<T: DeserializeOwned>(&self, name: &str) -> Option<T> {
        self.session.get(name).ok().flatten()
    }

    /// Stores a search of the operator, replacing the previous one.
    /// Errors: [`SessionError::Unavailable`], [`SessionError::Gone`].
    pub(super) async fn remember(
        &self,
        name: &str,
        value: impl Serialize,
    ) -> Result<(), SessionError> {
        self.session.insert(name, value)?;
        self.session.update().await
    }

    /// Stores a notice for the next page. Best effort: the action it reports is done already.
    pub(super) async fn notify(&self, notice: &str) {
        let _ = self.remember(NOTICE, notice).await;
    }

    /// Takes the notice that [`notify`](Self::notify) stored.
    pub(super) async fn take_note(&self) -> Note {
        let Some(notice) = self.recall(NOTICE) else {
            return Note::None;
        };
        // If this fails, the notice is shown again, which is better than an error page.
        self.session.remove(NOTICE);
        let _ = self.session.update().await;
        Note::Notice(notice)
    }
}

impl FromRequestParts<Arc<AdminState>> for Operator {
    type Rejection = PageError;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &Arc<AdminState>,
    ) -> Result<Self, PageError> {
        match Self::load(state, &parts.headers).await? {
            Some(operator) => Ok(operator),
            None if parts.method == Method::GET || parts.method == Method::HEAD => {
                Err(PageError::NotLoggedIn)
            }
            // A redirect would look like success to an operator who submitted a form.
            None => Err(PageError::from(ApiError::unauthorized(
                "nothing was changed, because you are not logged in; log in again",
                "MasterKey realm=\"sessiond\"",
            ))),
        }
    }
}
