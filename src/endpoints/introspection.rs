//! Token introspection (RFC 7662).

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body;
use tower_service::Service;

use super::client_secrets::ClientSecrets;
use super::jwks_service::not_allowed;
use super::token_info::TokenInfo;
use crate::error::SessionError;
use crate::middleware::{ReadLimits, SessionRejection, read_all};
use crate::sessions::Sessions;
use crate::source::{find_in_form, media_type};
use crate::token_rejection::TokenRejection;
use crate::unsearched_body::UnsearchedBody;

/// Limits of a request's body. A token has at most 8 KiB, which encoding can triple.
const LIMITS: ReadLimits = ReadLimits {
    bytes: 32 << 10,
    deadline: Duration::from_secs(10),
};

/// Service that reports whether a token gives a session: token introspection (RFC 7662).
///
/// For gateways and apps without this library. A request is `POST` with the form field `token` and
/// a [client secret](ClientSecrets); `token_type_hint` is ignored. The response is a [`TokenInfo`]:
///
/// | request | response |
/// |---|---|
/// | the token gives a session | 200, `{"active":true,"sub":"jo",…}` |
/// | it gives none, for any reason | 200, `{"active":false}` |
/// | the client secret is missing or wrong | 401, and nothing is read |
/// | no token, or several | 400, `{"error":"invalid_request"}` |
/// | the body is not a form, or is compressed | 415 |
/// | the body has more than 32 KiB, or takes more than 10 s | 413, 408 |
/// | the store is unavailable | 503 with `Retry-After`, never `{"active":false}` |
///
/// All responses have `Cache-Control: no-store`. **Introspection is not a use**: only the app
/// behind the gateway resets the time to live of the session. It takes one round trip to the store.
/// This service does not limit attempts with wrong client secrets: limit the rate of requests in a
/// proxy, and serve it over TLS only. With a [local cache](crate::store), an ended session may be
/// reported as active for `max_staleness`.
///
/// ```
/// # use jwt_redis_session::{Keyring, MemoryStore, Sessions};
/// use jwt_redis_session::endpoints::{ClientSecrets, Introspection};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keyring = Keyring::hs256("a secret of at least 32 random bytes")?;
/// # let sessions = Sessions::builder(MemoryStore::new(), keyring).build()?;
/// # let secret = "a client secret of 32 random bytes";
/// let introspection = Introspection::new([sessions.clone()], ClientSecrets::new([secret])?);
/// let app: axum::Router = axum::Router::new().route_service("/introspect", introspection.clone());
///
/// let session = sessions.new_session();
/// let token = session.login("jo").await?;
/// assert!(introspection.introspect(token.as_str()).await?.is_active());
/// session.logout().await?;
/// assert!(!introspection.introspect(token.as_str()).await?.is_active());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Introspection(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// In the order in which a token is looked for.
    sessions: Vec<Sessions>,
    secrets: ClientSecrets,
}

impl Introspection {
    /// Creates the service of the tokens of `sessions`, for programs with one of these secrets.
    ///
    /// With several `Sessions`, for example of JWTs and of opaque tokens, each one is tried in
    /// turn. Those that cannot have issued the token send no command to their store.
    pub fn new(sessions: impl IntoIterator<Item = Sessions>, secrets: ClientSecrets) -> Self {
        let sessions = sessions.into_iter().collect();
        Self(Arc::new(Shared { sessions, secrets }))
    }

    /// Reports whether `token` gives a session, without HTTP and without a client secret.
    ///
    /// # Errors
    ///
    /// [`SessionError::Unavailable`] if the store did not answer: it is unknown whether there is a
    /// session. Answer 503, never "inactive".
    pub async fn introspect(&self, token: &str) -> Result<TokenInfo, SessionError> {
        for sessions in &self.0.sessions {
            match sessions.open_without_touch(token).await {
                Ok((session, grace_end)) => return Ok(TokenInfo::of(&session, grace_end)),
                Err(SessionError::Rejected(_)) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(TokenInfo::INACTIVE)
    }

    async fn respond<B: Body>(&self, request: Request<B>) -> Response<String> {
        let (head, body) = request.into_parts();
        if head.method != Method::POST {
            return not_allowed("POST");
        }
        // Before the body is read, so that clients without the secret cannot fill the memory.
        if !self.0.secrets.authenticate(&head.headers) {
            return unauthorized();
        }
        let is_form = media_type(&head.headers)
            .is_some_and(|it| it.eq_ignore_ascii_case(b"application/x-www-form-urlencoded"));
        if !is_form || head.headers.contains_key(CONTENT_ENCODING) {
            return invalid_request(StatusCode::UNSUPPORTED_MEDIA_TYPE);
        }
        let body = match read_all(body, LIMITS).await {
            Ok(body) => body,
            Err(UnsearchedBody::TooLarge) => return invalid_request(StatusCode::PAYLOAD_TOO_LARGE),
            Err(UnsearchedBody::TimedOut) => return invalid_request(StatusCode::REQUEST_TIMEOUT),
            Err(_) => return invalid_request(StatusCode::BAD_REQUEST),
        };
        match find_in_form(&body, "token") {
            Ok(Some(token)) => answer(self.introspect(&token).await),
            Ok(None) | Err(TokenRejection::Ambiguous) => invalid_request(StatusCode::BAD_REQUEST),
            // Text that cannot be a token.
            Err(_) => answer(Ok(TokenInfo::INACTIVE)),
        }
    }
}

impl<B> Service<Request<B>> for Introspection
where
    B: Body + Send + 'static,
{
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<String>, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.respond(request).await) })
    }
}

fn answer(info: Result<TokenInfo, SessionError>) -> Response<String> {
    let json = info.map(|info| serde_json::to_string(&info));
    match json {
        Ok(Ok(json)) => respond_with(StatusCode::OK, json),
        Ok(Err(_)) => SessionRejection::from(&SessionError::Corrupt).json_response(),
        Err(error) => SessionRejection::from(&error).json_response(),
    }
}

/// RFC 6749 section 5.2: the challenge names the schemes that a client can use.
fn unauthorized() -> Response<String> {
    let mut response = error(StatusCode::UNAUTHORIZED, "invalid_client");
    let challenge = r#"Basic realm="introspection", Bearer realm="introspection""#;
    let challenge = HeaderValue::from_static(challenge);
    response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
    response
}

fn invalid_request(status: StatusCode) -> Response<String> {
    error(status, "invalid_request")
}

fn error(status: StatusCode, code: &str) -> Response<String> {
    respond_with(status, format!(r#"{{"error":"{code}"}}"#))
}

fn respond_with(status: StatusCode, json: String) -> Response<String> {
    let mut response = Response::new(json);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let json = HeaderValue::from_static("application/json");
    headers.insert(CONTENT_TYPE, json);
    response
}
