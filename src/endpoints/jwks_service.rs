//! The public keys of a key ring over HTTP.

use std::convert::Infallible;
use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use tower_service::Service;

use crate::token::Keyring;

/// Service that answers `GET` with the public keys of a key ring as a JWK Set (RFC 7517 section 5).
///
/// The type is `application/jwk-set+json` (section 8.5.2); other methods are answered 405. After
/// [`Keyring::reload`] the response has the new keys. Use
/// [`thumbprint_kids`](crate::token::KeyringBuilder::thumbprint_kids) or
/// [`Key::kid`](crate::token::Key::kid), so that tokens name their key.
///
/// A program that only verifies tokens with these keys does not notice logouts and rotations; see
/// the [module](crate::endpoints).
///
/// ```
/// use axum::Router;
/// use jwt_redis_session::{Keyring, endpoints::JwksService};
///
/// fn routes(keyring: &Keyring) -> Router {
///     Router::new().route_service("/.well-known/jwks.json", JwksService::new(keyring.clone()))
/// }
/// ```
#[derive(Clone, Debug)]
pub struct JwksService {
    keyring: Keyring,
    max_age: Duration,
}

impl JwksService {
    /// Creates the service of a key ring, whose responses may be cached for 300 seconds.
    #[must_use]
    pub const fn new(keyring: Keyring) -> Self {
        Self {
            keyring,
            max_age: Duration::from_secs(300),
        }
    }

    /// Sets how long caches may keep the response, in whole seconds. Defaults to 300 s.
    ///
    /// A new key must be in the key ring this long before it signs. Other programs may trust a
    /// removed key for this long.
    #[must_use]
    pub const fn max_age(mut self, max_age: Duration) -> Self {
        self.max_age = max_age;
        self
    }

    /// Returns the response to `GET`, for handlers of other frameworks.
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let max_age = self.max_age.as_secs();
        let mut response = Response::new(self.keyring.jwks());
        let headers = response.headers_mut();
        let json = HeaderValue::from_static("application/jwk-set+json");
        headers.insert(CONTENT_TYPE, json);
        if let Ok(cached) = HeaderValue::try_from(format!("public, max-age={max_age}")) {
            headers.insert(CACHE_CONTROL, cached);
        }
        response
    }
}

impl<B> Service<Request<B>> for JwksService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
        ready(Ok(if is_read {
            self.response()
        } else {
            not_allowed("GET, HEAD")
        }))
    }
}

/// Returns the response to methods that are not `allowed`.
pub(super) fn not_allowed(allowed: &'static str) -> Response<String> {
    let mut response = Response::new(String::new());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    let headers = response.headers_mut();
    headers.insert(ALLOW, HeaderValue::from_static(allowed));
    // Without it a cache may keep a 405 (RFC 9110 section 15.5.6).
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
