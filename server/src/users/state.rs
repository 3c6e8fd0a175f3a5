//! State of the users API's handlers.

use http::HeaderMap;
use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{OpaqueTokens, SessionError, Sessions, TokenRejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, SharedSecret, reject_other_origins};
use crate::users::bearer::{self, invalid_token};

#[derive(Clone)]
pub(super) struct UsersState {
    pub(super) sessions: Sessions,
    pub(super) secret: SharedSecret,
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
    pub(super) fn new(app: &AppState) -> Result<Self, ConfigError> {
        Ok(Self {
            sessions: sessions(app)?,
            secret: SharedSecret::new(app.settings.users.secret.clone()),
            app: app.clone(),
        })
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
pub(crate) fn sessions(app: &AppState) -> Result<Sessions, ConfigError> {
    let ttl = app.settings.users.session_ttl;
    app.sessions("user", Some(OpaqueTokens::new().into()), ttl)
        .build()
}
