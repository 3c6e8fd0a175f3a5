//! How does axum get it?

use std::ops::Deref;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::header::CONTENT_TYPE;
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::error::SessionError;
use crate::middleware::{SessionRejection, Tagged};
use crate::session::Session;

/// Takes the handle that the nearest [`JwtRedisSession`](crate::JwtRedisSession) layer left,
/// whatever its state. Without a layer the answer is 500, and says which one to add.
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let session = parts.extensions.get().cloned();
        session.ok_or_else(missing_layer)
    }
}

/// `None` if there is no [`JwtRedisSession`](crate::JwtRedisSession) layer.
impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        Ok(parts.extensions.get().cloned())
    }
}

/// Takes the handle of the layer tagged with `T`, whatever its state. Without that layer the
/// answer is 500.
impl<S: Sync, T: 'static> FromRequestParts<S> for Tagged<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        let tagged = Self::of(&parts.extensions).cloned();
        tagged.ok_or_else(missing_layer)
    }
}

/// A session that lived when the request began.
///
/// As an extractor it answers for requests that have none before the handler runs, as
/// [`SessionRejection`] tells: 401 without a session, 503 if the store is down. `Option<ActiveSession>`
/// is `None` where that answer would be 401, so for a token that has expired too; a broken
/// request or a store that is down is still answered.
///
/// ```
/// # use jwt_redis_session::{ActiveSession, SessionError};
/// async fn me(session: ActiveSession) -> Result<String, SessionError> {
///     Ok(session.get("user")?.unwrap_or_default())
/// }
///
/// async fn home(session: Option<ActiveSession>) -> &'static str {
///     if session.is_some() { "Welcome back" } else { "Welcome" }
/// }
/// # let _: axum::Router = axum::Router::new()
/// #     .route("/me", axum::routing::get(me))
/// #     .route("/", axum::routing::get(home));
/// ```
#[derive(Clone, Debug)]
pub struct ActiveSession(Session);

impl ActiveSession {
    /// The handle itself.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.0
    }
}

impl Deref for ActiveSession {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl<S: Sync> FromRequestParts<S> for ActiveSession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        active(parts)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ActiveSession {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        _: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        match active(parts) {
            Ok(session) => Ok(Some(session)),
            Err(refusal) if refusal.status() == StatusCode::UNAUTHORIZED => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }
}

fn active(parts: &Parts) -> Result<ActiveSession, SessionRejection> {
    let session: &Session = parts.extensions.get().ok_or_else(missing_layer)?;
    match SessionRejection::of(&session.state()) {
        None => Ok(ActiveSession(session.clone())),
        Some(refusal) => Err(refusal),
    }
}

fn missing_layer() -> SessionRejection {
    let refusal = SessionRejection::missing_layer();
    tracing::error!("{refusal}");
    refusal
}

/// Answers with the message as `{"error":"…"}`.
impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        let mut response = self.response(Body::from(self.to_json()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

/// Answers as [`SessionRejection`] tells. What went wrong in the program is logged, and not told.
impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        let refusal = SessionRejection::from(&self);
        if refusal.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "session operation failed");
        }
        refusal.into_response()
    }
}
