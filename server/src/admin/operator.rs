//! A logged-in operator.

use axum::extract::FromRequestParts;
use http::request::Parts;
use http::{HeaderMap, Method};
use jwt_redis_session::{Session, SessionError, Token, TokenRejection};

use crate::admin::cookie;
use crate::admin::page::{FORM_TOKEN, Note, PageError};
use crate::admin::state::{AdminState, SharedState};
use crate::error::ApiError;
use crate::secret::Secret;

/// The field of the session that holds the fingerprint of the master key.
const KEY: &str = "key";
/// The field of the session that holds the notice for the next page.
const NOTICE: &str = "notice";
/// The challenge to a browser that is not logged in.
pub(super) const CHALLENGE: &str = "MasterKey realm=\"sessiond\"";

/// Gives access to the state of the pages.
pub(super) struct Operator {
    pub(super) state: SharedState,
    pub(super) session: Session,
    /// Random text in the session and in every form of the operator. Another site cannot read it,
    /// so it cannot submit a form on behalf of the operator.
    pub(super) form_token: Secret,
}

impl Operator {
    /// Creates the session of an operator who presented the master key with this fingerprint.
    pub(super) async fn log_in(state: &AdminState, key: &Secret) -> Result<Token, SessionError> {
        let session = state.operators.new_session();
        session.insert(KEY, key.expose())?;
        session.insert(FORM_TOKEN, Secret::random().expose())?;
        session.create().await
    }

    /// Loads the operator whose token is in a cookie. Returns `None` without a cookie or a
    /// session, or if the master key is no longer configured.
    /// Errors: as [`open`](Self::open).
    async fn load(state: &SharedState, headers: &HeaderMap) -> Result<Option<Self>, SessionError> {
        for token in cookie::read(headers) {
            if let Some(operator) = Self::open(state, token).await? {
                return Ok(Some(operator));
            }
        }
        Ok(None)
    }

    /// Loads the operator with this token.
    /// Errors: those of [`Sessions::open`](jwt_redis_session::Sessions::open), except for a token
    /// that names no session.
    async fn open(state: &SharedState, token: &str) -> Result<Option<Self>, SessionError> {
        let session = match state.operators.open(token).await {
            Ok(session) => session,
            // A corrupt record is an error of the service, not of the operator.
            Err(SessionError::Rejected(reason)) if reason != TokenRejection::Corrupt => {
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let key: Option<String> = session.get(KEY)?;
        let form_token: Option<Secret> = session.get(FORM_TOKEN)?;
        let is_current = key.is_some_and(|key| state.masters.is_current(&key));
        Ok(form_token.filter(|_| is_current).map(|form_token| Self {
            state: SharedState::clone(state),
            session,
            form_token,
        }))
    }

    /// Stores a notice for the next page. Best effort: the action it reports is done already.
    pub(super) async fn notify(&self, notice: &str) {
        let _ = self.session.insert(NOTICE, notice);
        let _ = self.session.update().await;
    }

    /// Takes the notice that [`notify`](Self::notify) stored.
    pub(super) async fn take_note(&self) -> Note {
        let Ok(Some(notice)) = self.session.get(NOTICE) else {
            return Note::None;
        };
        // If this fails, the notice is shown again, which is better than an error page.
        self.session.remove(NOTICE);
        let _ = self.session.update().await;
        Note::Notice(notice)
    }
}

impl FromRequestParts<SharedState> for Operator {
    type Rejection = PageError;

    async fn from_request_parts(parts: &mut Parts, state: &SharedState) -> Result<Self, PageError> {
        match Self::load(state, &parts.headers).await? {
            Some(operator) => Ok(operator),
            None if parts.method == Method::GET || parts.method == Method::HEAD => {
                Err(PageError::NotLoggedIn)
            }
            // A redirect would look like success to an operator who submitted a form.
            None => Err(PageError::from(ApiError::unauthorized(
                "nothing was changed, because you are not logged in; log in again",
                CHALLENGE,
            ))),
        }
    }
}
