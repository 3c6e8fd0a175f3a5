//! The response future of [`RequireSession`](super::RequireSession).

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::requirement::Requirement;
use super::respond::Respond;
use crate::middleware::lazy_session::LazySession;
use crate::session::Session;

pin_project! {
    /// Response future for [`RequireSessionService`](super::RequireSessionService).
    #[must_use = "futures do nothing unless polled"]
    pub struct RequireFuture<S, B, F>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B, F>,
    }
}

pin_project! {
    // The options are `None` only after the future is done.
    #[project = StateProjection]
    enum State<S, B, F>
    where
        S: Service<Request<B>>,
    {
        Loading {
            load: Pin<Box<dyn Future<Output = Session> + Send>>,
            request: Option<Request<B>>,
            // Was polled ready.
            inner: S,
            requirement: Requirement,
            respond: F,
        },
        Calling { #[pin] response: S::Future },
        Rejected { response: Option<S::Response> },
    }
}

impl<S, B, F> RequireFuture<S, B, F>
where
    S: Service<Request<B>>,
{
    pub(super) fn load(
        lazy: LazySession,
        request: Request<B>,
        inner: S,
        requirement: Requirement,
        respond: F,
    ) -> Self {
        let state = State::Loading {
            load: Box::pin(async move { lazy.load().await }),
            request: Some(request),
            inner,
            requirement,
            respond,
        };
        Self { state }
    }

    pub(super) const fn call(response: S::Future) -> Self {
        let state = State::Calling { response };
        Self { state }
    }

    pub(super) const fn reject(response: S::Response) -> Self {
        let response = Some(response);
        let state = State::Rejected { response };
        Self { state }
    }
}

impl<S, B, F, R> Future for RequireFuture<S, B, F>
where
    S: Service<Request<B>, Response = Response<R>>,
    F: Respond<R>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let response = match state.as_mut().project() {
                StateProjection::Loading {
                    load,
                    request,
                    inner,
                    requirement,
                    respond,
                } => {
                    let session = ready!(load.as_mut().poll(cx));
                    let mut request = request.take().expect("polled after completion");
                    let extensions = request.extensions_mut();
                    if let Err(rejection) = requirement.check(&session, extensions) {
                        return Poll::Ready(Ok(respond.respond(&rejection)));
                    }
                    inner.call(request)
                }
                StateProjection::Calling { response } => return response.poll(cx),
                StateProjection::Rejected { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response));
                }
            };
            state.set(State::Calling { response });
        }
    }
}

impl<S, B, F> fmt::Debug for RequireFuture<S, B, F>
where
    S: Service<Request<B>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequireFuture").finish_non_exhaustive()
    }
}
