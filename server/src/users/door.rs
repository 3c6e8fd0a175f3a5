//! What the handlers of this door share.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use http::header::CACHE_CONTROL;
use jwt_redis_session::{ConfigError, OpaqueTokens, Rejection, SessionError, Sessions};
use serde::Serialize;
use utoipa::ToSchema;

use crate::error::ApiError;
use crate::http::{Client, SharedSecret};
use crate::shared::Shared;
use crate::users::bearer::Bearer;

/// What the handlers of this door share.
#[derive(Clone, Debug)]
pub(super) struct Door {
    pub(super) sessions: Sessions,
    pub(super) secret: SharedSecret,
    pub(super) shared: Shared,
}

/// The user whose session it is.
#[derive(Serialize, ToSchema)]
pub(super) struct User {
    /// The name that was given when the session was created.
    #[schema(example = "jo")]
    pub(super) username: String,
}

impl Door {
    pub(super) fn new(shared: &Shared) -> Result<Self, ConfigError> {
        Ok(Self {
            sessions: sessions(shared)?,
            secret: SharedSecret::new(shared.settings.users.secret.clone()),
            shared: shared.clone(),
        })
    }

    /// The user whose session the bearer token in `headers` names.
    pub(super) async fn user(&self, client: Client, headers: &HeaderMap) -> Result<User, ApiError> {
        let bearer = Bearer::of(headers);
        let owner = match &bearer {
            Bearer::Token(token) => self.owner(token).await?,
            Bearer::Absent | Bearer::Malformed => None,
        };
        match owner {
            Some(username) => Ok(User { username }),
            None => Err(self.shared.failures.failed(client, bearer.refusal())),
        }
    }

    async fn owner(&self, token: &str) -> Result<Option<String>, ApiError> {
        match self.sessions.open(token).await {
            Ok(session) => Ok(session.owner()),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }
}

/// The sessions of this door: nothing but an owner, behind a token that is not stored.
pub(crate) fn sessions(shared: &Shared) -> Result<Sessions, ConfigError> {
    let ttl = shared.settings.users.session_ttl;
    shared.sessions("user", OpaqueTokens::new(), ttl).build()
}

/// An answer that no cache may keep.
pub(super) fn private(body: impl Serialize) -> Response {
    ([(CACHE_CONTROL, "no-store")], Json(body)).into_response()
}

/// Whether the token gives no session, which is the caller's affair; a record that cannot be
/// read is ours.
fn is_absent(error: &SessionError) -> bool {
    match error {
        SessionError::Rejected(reason) => *reason != Rejection::Corrupt,
        other => matches!(other, SessionError::Gone | SessionError::Absent),
    }
}
