//! How a refusal becomes a response.

use http::Response;

use crate::middleware::session_rejection::SessionRejection;

/// Makes the response of a [`SessionRejection`]; every `Fn(&SessionRejection) -> Response<B>` does.
pub trait Refuse<B> {
    /// Makes the response.
    fn refuse(&self, refusal: &SessionRejection) -> Response<B>;
}

impl<F, B> Refuse<B> for F
where
    F: Fn(&SessionRejection) -> Response<B>,
{
    fn refuse(&self, refusal: &SessionRejection) -> Response<B> {
        self(refusal)
    }
}

/// Answers with status and headers, and a default body, which is empty in all frameworks known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmptyBody;

impl<B: Default> Refuse<B> for EmptyBody {
    fn refuse(&self, refusal: &SessionRejection) -> Response<B> {
        refusal.response(B::default())
    }
}
