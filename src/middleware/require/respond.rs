//! How a rejection becomes a response.

use http::Response;

use crate::middleware::session_rejection::SessionRejection;

/// Converts a [`SessionRejection`] to a response.
///
/// Implemented by every `Fn(&SessionRejection) -> Response<B>`, by [`JsonBody`] and by
/// [`EmptyBody`].
///
/// See [`RequireSession::respond_with`](crate::RequireSession::respond_with) for an example.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot answer with a response body of type `{B}`",
    note = "by default `RequireSession` answers with JSON, which needs `{B}: From<String>`",
    note = "use `RequireSession::new().empty_body()` if the body has a default",
    note = "or make the response with `RequireSession::new().respond_with(|rejection: &SessionRejection| …)`",
    note = "or, if an inner layer such as `TraceLayer` has changed the type of the body, \
            put `.map_response(|response: Response<_>| response.map(Body::new))` in between"
)]
pub trait Respond<B> {
    /// Makes the response.
    fn respond(&self, rejection: &SessionRejection) -> Response<B>;
}

impl<F, B> Respond<B> for F
where
    F: Fn(&SessionRejection) -> Response<B>,
{
    fn respond(&self, rejection: &SessionRejection) -> Response<B> {
        self(rejection)
    }
}

/// Response with the body `{"error":"…"}`, as that of the extractor `ActiveSession`.
///
/// The default of [`RequireSession`](crate::RequireSession).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JsonBody;

impl<B: From<String>> Respond<B> for JsonBody {
    fn respond(&self, rejection: &SessionRejection) -> Response<B> {
        rejection.json_response()
    }
}

/// Response with status and headers only.
///
/// Set by [`RequireSession::empty_body`](crate::RequireSession::empty_body); see
/// [`JwtRedisSession`](crate::JwtRedisSession#tonic) for an example.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptyBody;

impl<B: Default> Respond<B> for EmptyBody {
    fn respond(&self, rejection: &SessionRejection) -> Response<B> {
        rejection.response(B::default())
    }
}
