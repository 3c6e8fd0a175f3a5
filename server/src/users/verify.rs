//! Verifies passwords with the login endpoint of the application.

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{Request, StatusCode, Uri};
use http_body_util::Full;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use rustls::crypto::ring;

use crate::error::ApiError;
use crate::request_context::RequestContext;
use crate::secret::Secret;
use crate::settings::SettingsError;

/// The longest time for an answer. Hashing a password is slow on purpose, but takes far less.
const TIMEOUT: Duration = Duration::from_secs(5);
/// The longest head of an answer, in bytes. Its body is not read.
const MAX_HEAD: usize = 16 << 10;

/// The logins since the last answer, of all threads: an outage is one line, and its end another.
static FAILURES: AtomicU64 = AtomicU64::new(0);

/// The login endpoint of the application (`users.verify_url`).
///
/// A redirect is not followed: it would send the password to another place.
#[derive(Clone)]
pub(super) struct Verifier {
    url: Uri,
    client: Client<HttpsConnector<HttpConnector>, Full<Bytes>>,
}

impl Verifier {
    /// Errors: the URL cannot be used, or the system has no certificates.
    pub(super) fn new(url: &Secret) -> Result<Self, SettingsError> {
        let error = |problem: String| SettingsError::new("users.verify_url", problem);
        // The error of the parser could repeat a part of the URL.
        let url = url.expose().parse();
        let url = url.map_err(|_| {
            error("is not a URL; use one such as `https://app.example/verify`".to_owned())
        })?;
        let connector = HttpsConnectorBuilder::new()
            .with_provider_and_native_roots(ring::default_provider())
            .map_err(|cause| {
                error(format!(
                    "cannot load the CA certificates of the system: {cause}"
                ))
            })?;
        // Validation allows http for loopback addresses only.
        let connector = connector.https_or_http().enable_http1().build();
        let client = Client::builder(TokioExecutor::new())
            // An application that serves one connection at a time would wait for an unused one.
            .pool_max_idle_per_host(0)
            .http1_max_buf_size(MAX_HEAD)
            .build(connector);
        Ok(Self { url, client })
    }

    /// Sends the body of a login, and returns whether the application accepts it.
    /// Errors: 503 if the application gives no answer, or one that is not about the password.
    pub(super) async fn accepts(&self, login: Vec<u8>) -> Result<bool, ApiError> {
        let request = Request::post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .body(Full::from(login))
            .map_err(|error| ApiError::internal(&error))?;
        let answer = tokio::time::timeout(TIMEOUT, self.client.request(request)).await;
        let status = match answer {
            Ok(Ok(response)) => response.status(),
            Ok(Err(error)) => return Err(unavailable(&causes(&error))),
            Err(_) => return Err(unavailable("no answer in time")),
        };
        let accepts = match status {
            StatusCode::TOO_MANY_REQUESTS | StatusCode::REQUEST_TIMEOUT => {
                return Err(unavailable(status.as_str()));
            }
            status if status.is_success() => true,
            status if status.is_client_error() => false,
            status => return Err(unavailable(status.as_str())),
        };
        let failures = FAILURES.swap(0, Ordering::Relaxed);
        if failures > 0 {
            tracing::info!(failures, "users.verify_url verifies passwords again");
        }
        Ok(accepts)
    }
}

/// Logs why the application could not verify a password: at `warn` if it could before. Contains
/// nothing of the request.
fn unavailable(reason: &str) -> ApiError {
    const MESSAGE: &str = "users.verify_url did not verify a password";
    let context = RequestContext::current();
    let (request_id, trace_id) = (context.request_id(), context.trace_id());
    if FAILURES.fetch_add(1, Ordering::Relaxed) == 0 {
        tracing::warn!(request_id, trace_id, reason, "{MESSAGE}");
    } else {
        tracing::debug!(request_id, trace_id, reason, "{MESSAGE}");
    }
    ApiError::unavailable("the password cannot be verified now; try again later")
}

/// Returns the error with its causes, of which the first one names the kind of failure only.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text += &format!(": {cause}");
        source = cause.source();
    }
    text
}
