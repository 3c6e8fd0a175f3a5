//! State of the users API's handlers.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use jwt_redis_session::config::ConfigError;
use jwt_redis_session::{OpaqueTokens, SessionError, Sessions, TokenRejection};
use serde::Serialize;
use utoipa::ToSchema;

use crate::app_state::AppState;
use crate::error::ApiError;
use crate::http::{Client, SharedSecret, refuse_other_sites};
use crate::users::bearer::Bearer;

/// State of the users API's handlers.
#[derive(Clone, Debug)]
pub(super) struct UsersState {
    pub(super) sessions: Sessions,
    pub(super) secret: SharedSecret,
    pub(super) app: AppState,
}

/// The user of a session.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// The name that was given when the session was created.
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

    /// Returns the user of the session that the bearer token names.
    ///
    /// # Errors
    ///
    /// 403 for another site; 401, or 429 for a client that too often sends what was never a token;
    /// 503 if the store is unavailable.
    pub(super) async fn user(&self, client: Client, headers: &HeaderMap) -> Result<User, ApiError> {
        refuse_other_sites(headers)?;
        let failures = &self.app.failures;
        let bearer = Bearer::of(headers);
        let Bearer::Token(token) = &bearer else {
            return Err(failures.failed(client, bearer.refusal()));
        };
        match self.sessions.open(token).await {
            Ok(session) => {
                let user = session.owner().map(|username| User { username });
                user.ok_or_else(|| bearer.refusal())
            }
            Err(SessionError::Gone | SessionError::Absent) => Err(bearer.refusal()),
            // A corrupt record is a fault of the service.
            Err(SessionError::Rejected(reason)) if reason != TokenRejection::Corrupt => {
                Err(failures.refused(client, reason, bearer.refusal()))
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Builds the sessions of the users API: without data, behind an opaque token that is not stored.
pub(crate) fn sessions(app: &AppState) -> Result<Sessions, ConfigError> {
    let ttl = app.settings.users.session_ttl;
    app.sessions("user", OpaqueTokens::new(), ttl).build()
}

/// Returns a response that caches must not store.
pub(super) fn private(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}
