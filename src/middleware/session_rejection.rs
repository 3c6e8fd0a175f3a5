//! The HTTP answer to a request that has no session.

use std::borrow::Cow;
use std::fmt;

use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::error::SessionError;
use crate::session::SessionState;
use crate::token_rejection::TokenRejection;

/// HTTP answer to a request that lacks the session it needs: status, headers and a message.
///
/// This type alone decides which status a state or an error has. All invalid tokens get the same
/// answer, whatever is wrong with them, so that nothing can be probed. No message contains details
/// of the store, the session or the program.
///
/// | | status | `WWW-Authenticate` |
/// |---|---|---|
/// | no token | 401 | `Bearer realm="…"` |
/// | token rejected, session gone | 401 | with `error="invalid_token"` |
/// | more than one token | 400 | with `error="invalid_request"` |
/// | store unavailable | 503, `Retry-After: 1` | |
/// | session changed by others, its chosen id taken | 409 | |
/// | session too large | 413 | |
/// | mistakes of the program | 500 | |
///
/// ```
/// use jwt_redis_session::{SessionRejection, SessionError};
///
/// let rejection = SessionRejection::from(&SessionError::Conflict);
/// assert_eq!(rejection.status(), 409);
/// let response: http::Response<String> = rejection.json_response();
/// # assert_eq!(response.headers()["cache-control"], "no-store");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRejection {
    status: StatusCode,
    message: &'static str,
    challenge: Option<Challenge>,
    realm: Realm,
}

/// The `error` attribute of a `WWW-Authenticate` header (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenge {
    /// None: the request has no token.
    Plain,
    InvalidToken,
    InvalidRequest,
}

impl SessionRejection {
    const fn new(status: StatusCode, message: &'static str) -> Self {
        Self {
            status,
            message,
            challenge: None,
            realm: Realm::DEFAULT,
        }
    }

    const fn challenging(mut self, challenge: Challenge) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// Returns the answer to a request in this state that needs a session; `None` if it has one.
    #[must_use]
    pub fn of(state: &SessionState) -> Option<Self> {
        match state {
            SessionState::Active => None,
            SessionState::Absent { .. } => Some(Self::absent()),
            SessionState::Rejected(reason) => Some(Self::rejected(*reason)),
            SessionState::Gone => Some(Self::invalid_token()),
            SessionState::Unavailable(_) => Some(Self::unavailable()),
        }
    }

    /// Returns the answer where no [`JwtRedisSession`](crate::JwtRedisSession) layer has attached a
    /// session: a generic 500. The log gets an event at ERROR that names the missing layer.
    #[must_use]
    pub fn missing_layer() -> Self {
        tracing::error!(
            "no session in the request extensions: \
             add `.layer(JwtRedisSession::new(sessions))` around this service"
        );
        Self::internal()
    }

    const fn absent() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "a token is required").challenging(Challenge::Plain)
    }

    const fn invalid_token() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "the token is not valid")
            .challenging(Challenge::InvalidToken)
    }

    const fn invalid_request() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "the request is not valid")
            .challenging(Challenge::InvalidRequest)
    }

    const fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "sessions are unavailable at the moment; try again",
        )
    }

    const fn internal() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal server error")
    }

    const fn rejected(reason: TokenRejection) -> Self {
        match reason {
            TokenRejection::Ambiguous => Self::invalid_request(),
            TokenRejection::TooLong
            | TokenRejection::Malformed
            | TokenRejection::Algorithm
            | TokenRejection::HeaderParam
            | TokenRejection::Signature
            | TokenRejection::Expired
            | TokenRejection::NotYetValid
            | TokenRejection::Claim
            | TokenRejection::MissingId
            | TokenRejection::InvalidId
            | TokenRejection::Audience
            | TokenRejection::Issuer
            | TokenRejection::Unknown
            | TokenRejection::Corrupt => Self::invalid_token(),
        }
    }

    pub(super) fn in_realm(mut self, realm: &Realm) -> Self {
        self.realm = realm.clone();
        self
    }

    /// Returns the status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// Returns the message for the client.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// Returns the message as `{"error":"…"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({ "error": self.message }).to_string()
    }

    /// Returns the headers of the answer: `Cache-Control: no-store`, and `WWW-Authenticate` or
    /// `Retry-After` where they apply.
    #[must_use]
    pub fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(challenge) = self.challenge {
            headers.insert(WWW_AUTHENTICATE, self.realm.challenge(challenge));
        }
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        headers
    }

    /// Returns the answer with this body.
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers();
        response
    }

    /// Returns the answer with the message as a JSON body: what `ActiveSession` and
    /// [`RequireSession`](crate::RequireSession) answer.
    #[must_use]
    pub fn json_response<B: From<String>>(&self) -> Response<B> {
        let mut response = self.response(B::from(self.to_json()));
        let json = HeaderValue::from_static("application/json");
        response.headers_mut().insert(CONTENT_TYPE, json);
        response
    }
}

impl From<&SessionError> for SessionRejection {
    fn from(error: &SessionError) -> Self {
        match error {
            SessionError::Absent => Self::absent(),
            SessionError::Rejected(reason) => Self::rejected(*reason),
            SessionError::Gone => Self::invalid_token(),
            SessionError::Conflict | SessionError::Revoked => Self::new(
                StatusCode::CONFLICT,
                "the session was changed at the same time; try again",
            ),
            SessionError::Taken => Self::new(
                StatusCode::CONFLICT,
                "a session with this id exists already",
            ),
            SessionError::TooLarge { .. } => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the session would be too large",
            ),
            SessionError::Unavailable(_) => Self::unavailable(),
            SessionError::Corrupt
            | SessionError::Decode { .. }
            | SessionError::Encode { .. }
            | SessionError::ReservedField(_)
            | SessionError::InvalidOwner
            | SessionError::NoOwner
            | SessionError::NoTokens
            | SessionError::InvalidDuration
            | SessionError::Token(_)
            | SessionError::Interrupted => Self::internal(),
        }
    }
}

impl fmt::Display for SessionRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message)
    }
}

impl std::error::Error for SessionRejection {}

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
        let error = match challenge {
            Challenge::Plain => "",
            Challenge::InvalidToken => r#", error="invalid_token""#,
            Challenge::InvalidRequest => r#", error="invalid_request""#,
        };
        let text = format!(r#"Bearer realm="{}"{error}"#, self.0);
        HeaderValue::try_from(text).expect("a realm is printable ASCII")
    }
}

/// Error returned for a realm that is not printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the realm is not printable ASCII; use the characters from space to `~`")]
pub struct InvalidRealm(());
