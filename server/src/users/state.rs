//! State of the users API's handlers.

use http::HeaderMap;
use jwt_redis_session::{OpaqueTokens, SessionError, Sessions, TokenRejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, SharedSecret, count_failure, reject_other_origins};
use crate::start_error::StartError;
use crate::users::bearer::{self, invalid_token};
use crate::users::credentials::Credentials;
use crate::users::verify::Verifier;

#[derive(Clone)]
pub(super) struct UsersState {
    pub(super) sessions: Sessions,
    pub(super) secret: SharedSecret,
    /// `None`: the caller has verified the password.
    pub(super) verifier: Option<Verifier>,
    pub(super) app: AppState,
}

/// The user of a session.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// The username of the login.
    #[schema(example = "jo")]
    pub(super) username: String,
}

impl UsersState {
    pub(super) fn new(app: &AppState) -> Result<Self, StartError> {
        let verify_url = app.settings.users.verify_url.as_ref();
        Ok(Self {
            verifier: verify_url.map(Verifier::new).transpose()?,
            sessions: sessions(app)?,
            secret: SharedSecret::new(app.settings.users.secret.clone()),
            app: app.clone(),
        })
    }

    /// Verifies the password of a login, if `users.verify_url` is set.
    /// Errors: 401 if it is wrong; 429 after too many logins of a client that sends no secret; 503.
    pub(super) async fn verify(
        &self,
        client: Client,
        login: &Credentials<'_>,
    ) -> Result<(), ApiError> {
        let Some(verifier) = &self.verifier else {
            return Ok(());
        };
        // A password can be guessed. So every attempt counts, and before it is made. A caller with
        // the secret makes the logins of many users.
        if self.app.settings.users.secret.is_none() {
            self.app.failures.attempt(client)?;
        }
        if verifier.accepts(login.to_json()?).await? {
            return Ok(());
        }
        count_failure();
        Err(ApiError::unauthorized(
            "the username or the password is wrong; correct them and log in again",
            "Login realm=\"sessiond\"",
        ))
    }

    /// Returns the user of the session of the bearer token.
    /// Errors: 403 for a request from another site; 401, or 429 after too many failures; 503 if the
    /// store is unavailable.
    pub(super) async fn authenticate(
        &self,
        client: Client,
        headers: &HeaderMap,
    ) -> Result<User, ApiError> {
        reject_other_origins(headers)?;
        let failures = &self.app.failures;
        let token = bearer::token(headers).map_err(|error| failures.failed(client, error))?;
        match self.sessions.open(token).await {
            Ok(session) => {
                let user = session.owner().map(|username| User { username });
                user.ok_or_else(invalid_token)
            }
            Err(SessionError::Gone | SessionError::Absent) => Err(invalid_token()),
            // A corrupt record is a fault of the service, not of the client.
            Err(SessionError::Rejected(reason)) if reason != TokenRejection::Corrupt => {
                Err(failures.token_rejected(client, reason, invalid_token()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Builds the sessions of the users API: without data, with opaque tokens that are not stored.
pub(crate) fn sessions(app: &AppState) -> Result<Sessions, StartError> {
    let ttl = app.settings.users.session_ttl;
    let sessions = app.sessions("user", Some(OpaqueTokens::new().into()), ttl);
    Ok(sessions.build()?)
}
