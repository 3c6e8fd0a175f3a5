//! axum extractors for sessions, and responses for their errors.

use std::convert::Infallible;
use std::ops::Deref;
use std::time::Duration;

use axum_core::body::Body;
use axum_core::extract::{FromRequestParts, OptionalFromRequestParts};
use axum_core::response::{IntoResponse, Response};
use http::header::USER_AGENT;
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use http_body_util::BodyExt as _;

use crate::error::SessionError;
use crate::middleware::{
    ClientIp, LazySession, LazyTagged, ReplayBody, SessionBody, SessionRejection, Tagged,
};
use crate::session::{Device, Session};

/// Extracts the session of the nearest [`JwtRedisSession`](crate::JwtRedisSession) layer, whatever
/// its state, and loads it if that layer is lazy. Without a layer the response is 500.
impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let session = LazySession::from_request_parts(parts, state).await?;
        Ok(session.into_session().await)
    }
}

/// `None` if there is no [`JwtRedisSession`](crate::JwtRedisSession) layer.
impl<S: Sync> OptionalFromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Option<Self>, Infallible> {
        match LazySession::of(&parts.extensions) {
            Some(session) => Ok(Some(session.into_session().await)),
            None => Ok(None),
        }
    }
}

/// Extracts the session of the nearest [`JwtRedisSession`](crate::JwtRedisSession) layer without
/// loading it. Without a layer the response is 500.
impl<S: Sync> FromRequestParts<S> for LazySession {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Self::of(&parts.extensions).ok_or_else(SessionRejection::missing_layer)
    }
}

/// Extracts the session of the layer tagged with `T`, whatever its state, and loads it if that
/// layer is lazy. Without that layer the response is 500.
impl<S: Sync, T: 'static> FromRequestParts<S> for Tagged<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let tagged = LazyTagged::<T>::from_request_parts(parts, state).await?;
        Ok(Self::new(tagged.into_session().into_session().await))
    }
}

/// Extracts the session of the layer tagged with `T` without loading it. Without that layer the
/// response is 500.
impl<S: Sync, T: 'static> FromRequestParts<S> for LazyTagged<T> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, SessionRejection> {
        Self::of(&parts.extensions).ok_or_else(SessionRejection::missing_layer)
    }
}

/// Session that was active when it was loaded.
///
/// As an extractor it answers requests without an active session before the handler runs, as
/// described by [`SessionRejection`]: 401 without a session, 503 if the store is unavailable.
/// `Option<ActiveSession>` is `None` where the response would be 401, even for an expired token. It
/// still answers an ambiguous request (400) and an unavailable store (503).
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
    /// Returns the session itself.
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

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let session = <Session as FromRequestParts<S>>::from_request_parts(parts, state).await?;
        SessionRejection::of(&session.state()).map_or(Ok(Self(session)), Err)
    }
}

impl<S: Sync> OptionalFromRequestParts<S> for ActiveSession {
    type Rejection = SessionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &S,
    ) -> Result<Option<Self>, SessionRejection> {
        optional(<Self as FromRequestParts<S>>::from_request_parts(parts, state).await)
    }
}

/// Returns `None` instead of a 401. Other rejections remain: an ambiguous request and an
/// unavailable store do not show that there is no session.
pub(crate) fn optional<T>(
    extracted: Result<T, SessionRejection>,
) -> Result<Option<T>, SessionRejection> {
    match extracted {
        Ok(extracted) => Ok(Some(extracted)),
        Err(rejection) if rejection.status() == StatusCode::UNAUTHORIZED => Ok(None),
        Err(rejection) => Err(rejection),
    }
}

/// Session whose owner authenticated within the last `SECONDS` seconds.
///
/// As an extractor it answers requests without an active session as [`ActiveSession`] does. If the
/// owner authenticated earlier or at an unknown time, it answers 401 with
/// `error="insufficient_user_authentication"` (RFC 9470). The client then sends the password again,
/// and the handler that checks it calls [`Session::reauthenticated`].
///
/// ```
/// # use axum::Json;
/// # use jwt_redis_session::{AuthenticatedWithin, SessionError};
/// async fn change_email(
///     session: AuthenticatedWithin<300>,
///     Json(email): Json<String>,
/// ) -> Result<(), SessionError> {
///     session.insert("email", email)?;
///     session.update().await
/// }
/// # let _: axum::Router = axum::Router::new()
/// #     .route("/email", axum::routing::put(change_email));
/// ```
#[derive(Clone, Debug)]
pub struct AuthenticatedWithin<const SECONDS: u64>(ActiveSession);

impl<const SECONDS: u64> AuthenticatedWithin<SECONDS> {
    /// Returns the session itself.
    #[must_use]
    pub fn into_session(self) -> Session {
        self.0.into_session()
    }
}

impl<const SECONDS: u64> Deref for AuthenticatedWithin<SECONDS> {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl<S: Sync, const SECONDS: u64> FromRequestParts<S> for AuthenticatedWithin<SECONDS> {
    type Rejection = SessionRejection;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, SessionRejection> {
        let session = <ActiveSession as FromRequestParts<S>>::from_request_parts(parts, state);
        let (session, limit) = (session.await?, Duration::from_secs(SECONDS));
        match session.is_authenticated_within(limit) {
            true => Ok(Self(session)),
            false => Err(SessionRejection::insufficient_authentication(limit)),
        }
    }
}

/// Fills the device from the request: the user agent, and the address if a [`ClientIp`] is in the
/// extensions.
impl<S: Sync> FromRequestParts<S> for Device {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let user_agent = parts.headers.get(USER_AGENT);
        let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        let client_ip = parts.extensions.get::<ClientIp>();
        let device = Self {
            name: None,
            user_agent: user_agent.map(text),
            ip: client_ip.and_then(|config| config.of(&parts.extensions, &parts.headers)),
        };
        Ok(device.bounded())
    }
}

/// Converts to status, headers and `{"error":"…"}`.
impl IntoResponse for SessionRejection {
    fn into_response(self) -> Response {
        self.json_response()
    }
}

/// Converts to the response described by [`SessionRejection`]. Internal errors are logged and
/// answered with a generic 500.
impl IntoResponse for SessionError {
    fn into_response(self) -> Response {
        let rejection = SessionRejection::from(&self);
        if rejection.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(error = %self, "session operation failed");
        }
        rejection.into_response()
    }
}

impl ReplayBody for Body {
    fn replay(read: SessionBody<Self>) -> Self {
        // axum searches only an error and its direct source for a length limit. The error is
        // unwrapped, so that another wrapper does not move it deeper.
        Self::new(read.map_err(axum_core::Error::into_inner))
    }
}
