//! The future of a response.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use http_body::Body;
use pin_project_lite::pin_project;
use tower_service::Service;

use super::body::SessionBody;
use super::response::Aftermath;
use super::search::Search;
use crate::session::Session;

pin_project! {
    /// The response of a [`JwtRedisSessionService`](super::JwtRedisSessionService).
    ///
    /// May be dropped at any point: no session is left half done.
    #[must_use = "futures do nothing unless polled"]
    pub struct ResponseFuture<S, B>
    where
        S: Service<Request<SessionBody<B>>>,
        B: Body,
    {
        #[pin]
        step: Step<S, B>,
        aftermath: Aftermath,
    }
}

pin_project! {
    #[project = StepProjected]
    enum Step<S, B>
    where
        S: Service<Request<SessionBody<B>>>,
        B: Body,
    {
        // `inner` is the service that was polled ready.
        Search { search: Search<B>, inner: S },
        Call { #[pin] response: S::Future, session: Session },
    }
}

impl<S, B> ResponseFuture<S, B>
where
    S: Service<Request<SessionBody<B>>>,
    B: Body,
{
    pub(super) const fn search(search: Search<B>, inner: S, aftermath: Aftermath) -> Self {
        let step = Step::Search { search, inner };
        Self { step, aftermath }
    }

    pub(super) const fn call(response: S::Future, session: Session, aftermath: Aftermath) -> Self {
        let step = Step::Call { response, session };
        Self { step, aftermath }
    }
}

impl<S, B, R> Future for ResponseFuture<S, B>
where
    S: Service<Request<SessionBody<B>>, Response = Response<R>>,
    B: Body + Unpin,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let settings = &this.aftermath.settings;
        loop {
            match this.step.as_mut().project() {
                StepProjected::Search { search, inner } => {
                    let (request, session) = ready!(search.poll(settings, cx));
                    let response = inner.call(settings.attached(request, &session));
                    this.step.set(Step::Call { response, session });
                }
                StepProjected::Call { response, session } => {
                    let mut response = ready!(response.poll(cx))?;
                    this.aftermath.apply(session, response.headers_mut());
                    return Poll::Ready(Ok(response));
                }
            }
        }
    }
}

impl<S, B> fmt::Debug for ResponseFuture<S, B>
where
    S: Service<Request<SessionBody<B>>>,
    B: Body,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseFuture").finish_non_exhaustive()
    }
}
