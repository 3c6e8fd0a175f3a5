//! How the lack of a session is answered.

use std::borrow::Cow;
use std::fmt;

use http::header::{CACHE_CONTROL, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};

use crate::error::SessionError;
use crate::session::SessionState;
use crate::token_rejection::TokenRejection;

/// An answer to a request that cannot have what it asks for: status, headers, and a text for
/// the client.
///
/// Here, and nowhere else, it is decided which status a state or an error has. All bad tokens
/// get the same answer, whatever is wrong with them, so that nothing can be probed; no text tells
/// anything about the store, the session or the program.
///
/// | | status | `WWW-Authenticate` |
/// |---|---|---|
/// | no token | 401 | `Bearer realm="…"` |
/// | token rejected, session gone | 401 | with `error="invalid_token"` |
/// | more than one token, body malformed | 400 | with `error="invalid_request"` |
/// | body too large, too slow | 413, 408 | |
/// | store unavailable | 503, `Retry-After: 1` | |
/// | session changed by others, its chosen id taken | 409 | |
/// | session too large | 413 | |
/// | mistakes of the program | 500 | |
///
/// ```
/// use jwt_redis_session::{SessionRejection, SessionError};
///
/// let refusal = SessionRejection::from(&SessionError::Conflict);
/// assert_eq!(refusal.status(), 409);
/// let response: http::Response<String> = refusal.response(refusal.to_json());
/// # assert_eq!(response.headers()["cache-control"], "no-store");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRejection {
    status: StatusCode,
    message: &'static str,
    challenge: Option<Challenge>,
    realm: Realm,
}

/// What a `WWW-Authenticate` tells about the failure (RFC 6750 section 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Challenge {
    /// There was nothing to fail.
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

    /// The answer to a request in this state that needs a session; `None` if it has one.
    #[must_use]
    pub fn of(state: &SessionState) -> Option<Self> {
        match state {
            SessionState::Active => None,
            SessionState::Absent => Some(Self::absent()),
            SessionState::Rejected(reason) => Some(Self::rejected(*reason)),
            SessionState::Gone => Some(Self::invalid_token()),
            SessionState::Unavailable(_) => Some(Self::unavailable()),
        }
    }

    /// The answer where no [`JwtRedisSession`](crate::JwtRedisSession) layer has left a handle:
    /// 500, with a text for the programmer.
    #[must_use]
    pub const fn missing_layer() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "no session handle in the request: add `.layer(JwtRedisSession::new(sessions))` around this service",
        )
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
            TokenRejection::Ambiguous | TokenRejection::BodyMalformed => Self::invalid_request(),
            TokenRejection::BodyTooLarge => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "the request body is too large",
            ),
            TokenRejection::BodyTimeout => Self::new(
                StatusCode::REQUEST_TIMEOUT,
                "the request body did not arrive in time",
            ),
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

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.status
    }

    /// What the client may read.
    #[must_use]
    pub const fn message(&self) -> &'static str {
        self.message
    }

    /// The message as `{"error":"…"}`.
    #[must_use]
    pub fn to_json(&self) -> String {
        serde_json::json!({ "error": self.message }).to_string()
    }

    /// The headers of the answer: `Cache-Control: no-store`, and `WWW-Authenticate` or
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

    /// The answer with this body.
    pub fn response<B>(&self, body: B) -> Response<B> {
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers();
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

/// The realm of a challenge, escaped.
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

/// A realm is printable ASCII.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a realm is printable ASCII")]
pub struct InvalidRealm(());
