//! Error responses in the OpenAPI document that several operations share.
#![expect(dead_code, reason = "only for the OpenAPI document")]

use utoipa::IntoResponses;

use crate::error::ErrorBody;

/// Error responses of operations that authenticate the client.
#[derive(IntoResponses)]
pub(crate) enum AuthenticationErrors {
    /// The credential is missing or wrong.
    #[response(status = 401, headers(("WWW-Authenticate" = String)))]
    Unauthorized(ErrorBody<'static>),
    /// Too many failed authentications. Sessions that have ended do not count.
    #[response(status = 429, headers(("Retry-After" = u64)))]
    TooManyRequests(ErrorBody<'static>),
}

/// Error responses of operations that read a body.
#[derive(IntoResponses)]
pub(crate) enum BodyErrors {
    /// The body was not received in time.
    #[response(status = 408)]
    RequestTimeout(ErrorBody<'static>),
    /// The body is too large.
    #[response(status = 413)]
    PayloadTooLarge(ErrorBody<'static>),
    /// The `Content-Encoding` is neither gzip nor identity.
    #[response(status = 415, headers(("Accept-Encoding" = String)))]
    UnsupportedMediaType(ErrorBody<'static>),
}

/// Error response to requests that another site made a browser send.
#[derive(IntoResponses)]
#[response(
    status = 403,
    description = "Another site made the browser send this request (`Sec-Fetch-Site`, `Origin`)."
)]
pub(crate) struct CrossSiteError(ErrorBody<'static>);
