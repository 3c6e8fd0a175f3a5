//! The HTTP response to a request that has no session.

use std::borrow::Cow;
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, Response, StatusCode};

use crate::error::SessionError;
use crate::error_debug::debug_with_message;
use crate::session::SessionState;
use crate::token_rejection::TokenRejection;

/// HTTP response to a request that lacks the session it needs: status, headers and a message.
///
/// This type alone decides which status a state or an error has. All invalid tokens get the same
/// response, so that a client cannot probe tokens. No message contains details of the store, the
/// session or the application.
///
/// | | status | `WWW-Authenticate` |
/// |---|---|---|
/// | no token | 401 | `Bearer realm="…"` |
/// | token rejected, session gone | 401 | with `error="invalid_token"` |
/// | owner authenticated too long ago | 401 | with `error="insufficient_user_authentication"` |
/// | more than one token | 400 | with `error="invalid_request"` |
/// | store unavailable | 503, `Retry-After: 1` | |
/// | session changed by others, its chosen id taken | 409 | |
/// | session too large | 413 | |
/// | errors of the application | 500 | |
///
/// ```
/// use jwt_redis_session::{SessionRejection, SessionError};
///
/// let rejection = SessionRejection::from(&SessionError::Conflict);
/// assert_eq!(rejection.status(), 409);
/// let response: http::Response<String> = rejection.json_response();
/// # assert_eq!(response.headers()["cache-control"], "no-store");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SessionRejection {
    status: StatusCode,
    message: &'static str,
    /// The parameters after the realm in `WWW-Authenticate` (RFC 6750 section 3); `None` sends no
    /// such header.
    challenge: Option<Challenge>,
    pub(super) realm: Realm,
}

/// The parameters of a challenge after the realm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenge {
    Fixed(&'static str),
    /// RFC 9470 section 3.
    Authenticate {
        /// The most seconds since the last authentication.
        max_age: u64,
    },
}

/// The `error_description`. It must not have characters that need escaping.
const AUTHENTICATE: &str = "a more recent authentication is required";

impl SessionRejection {
    const ABSENT: Self = Self::new(StatusCode::UNAUTHORIZED, "a token is required").challenging("");
    const INVALID_TOKEN: Self = Self::new(StatusCode::UNAUTHORIZED, "the token is not valid")
        .challenging(r#", error="invalid_token""#);
    const INVALID_REQUEST: Self = Self::new(StatusCode::BAD_REQUEST, "the request is not valid")
        .challenging(r#", error="invalid_request""#);
    const UNAVAILABLE: Self = Self::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "sessions are unavailable at the moment; try again",
    );
    const INTERNAL: Self = Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error");

    const fn new(status: StatusCode, message: &'static str) -> Self {
        Self {
            status,
            message,
            challenge: None,
            realm: Realm::DEFAULT,
        }
    }

    const fn challenging(mut self, parameters: &'static str) -> Self {
        self.challenge = Some(Challenge::Fixed(parameters));
        self
    }

    /// Returns the response to a request that needs a session; `None` if the state is active.
    #[must_use]
    pub fn of(state: &SessionState) -> Option<Self> {
        state.check_active().err().as_ref().map(Self::from)
    }

    /// Returns the response to a request whose owner has not authenticated within the last
    /// `max_age` (RFC 9470 section 3).
    ///
    /// For handlers that check this themselves;
    /// [`RequireSession::authenticated_within`](crate::RequireSession::authenticated_within) sends
    /// the same response. The time is sent in whole seconds, rounded down.
    ///
    /// ```
    /// use std::time::Duration;
    /// use jwt_redis_session::{Session, SessionRejection};
    ///
    /// fn check(session: &Session, amount: u64) -> Result<(), SessionRejection> {
    ///     let limit = Duration::from_secs(if amount < 100 { 3600 } else { 300 });
    ///     if session.is_authenticated_within(limit) {
    ///         return Ok(());
    ///     }
    ///     Err(SessionRejection::insufficient_authentication(limit))
    /// }
    /// ```
    #[must_use]
    pub const fn insufficient_authentication(max_age: Duration) -> Self {
        let mut rejection = Self::new(StatusCode::UNAUTHORIZED, AUTHENTICATE);
        let max_age = max_age.as_secs();
        rejection.challenge = Some(Challenge::Authenticate { max_age });
        rejection
    }

    /// Returns a generic 500, for a request to which no
    /// [`JwtRedisSession`](crate::JwtRedisSession) layer has attached a session.
    ///
    /// Logs an event at ERROR that names the missing layer.
    #[must_use]
    pub fn missing_layer() -> Self {
        tracing::error!(
            "no session in the request extensions; \
             add `.layer(JwtRedisSession::new(sessions))` around this service"
        );
        Self::INTERNAL
    }

    /// Returns the status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the message for the client.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Returns the response with this body, with the header `Cache-Control: no-store`, and with
    /// `WWW-Authenticate` or `Retry-After` where they apply.
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, self.realm.challenge(challenge));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }

    /// Returns the response with the body `{"error":"…"}`, as sent by `ActiveSession` and
    /// [`RequireSession`](crate::RequireSession).
    #[must_use]
    pub fn json_response<B: From<String>>(&self) -> Response<B> {
        let body = serde_json::json!({ "error": self.message }).to_string();
        let mut response = self.response(B::from(body));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl From<&SessionError> for SessionRejection {
    fn from(error: &SessionError) -> Self {
        match error {
            SessionError::Absent => Self::ABSENT,
            // More than one token is a mistake of the client, and says nothing about the tokens.
            // All other reasons get the same response, so that clients cannot probe tokens.
            SessionError::Rejected(TokenRejection::Ambiguous) => Self::INVALID_REQUEST,
            SessionError::Rejected(_) | SessionError::Gone => Self::INVALID_TOKEN,
            SessionError::Conflict | SessionError::Revoked => Self::new(
                StatusCode::CONFLICT,
                "the session was changed concurrently; try again",
            ),
            SessionError::TooManySessions { .. } => Self::new(
                StatusCode::CONFLICT,
                "there are too many sessions of this user; end one of them first",
            ),
            SessionError::Taken => Self::new(
                StatusCode::CONFLICT,
                "a session with this id exists already",
            ),
            SessionError::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the session would be too large",
            ),
            SessionError::Unavailable(_) => Self::UNAVAILABLE,
            // All others are errors of the application.
            _ => Self::INTERNAL,
        }
    }
}

/// Realm of a challenge, escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Realm(Cow<'static, str>);

impl Realm {
    pub(super) const DEFAULT: Self = Self(Cow::Borrowed("session"));

    pub(super) fn new(text: &str) -> Result<Self, InvalidRealm> {
        if !text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
            return Err(InvalidRealm(()));
        }
        let escaped = text.replace('\\', r"\\").replace('"', r#"\""#);
        Ok(Self(Cow::Owned(escaped)))
    }

    fn challenge(&self, challenge: Challenge) -> HeaderValue {
        let realm = &self.0;
        let challenge = match challenge {
            Challenge::Fixed(parameters) => format!(r#"Bearer realm="{realm}"{parameters}"#),
            Challenge::Authenticate { max_age } => format!(
                r#"Bearer realm="{realm}", error="insufficient_user_authentication", error_description="{AUTHENTICATE}", max_age={max_age}"#
            ),
        };
        HeaderValue::try_from(challenge).expect("a realm is printable ASCII")
    }
}

/// Error returned for a realm that is not printable ASCII.
///
/// Returned by [`RequireSession::realm`](crate::RequireSession::realm);
/// [`RequireSession`](crate::RequireSession) has an example.
#[derive(Clone, PartialEq, Eq, thiserror::Error)]
#[error("the realm is not printable ASCII; use the characters from space to `~`")]
pub struct InvalidRealm(());

debug_with_message!(InvalidRealm);
