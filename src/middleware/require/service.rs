//! The service of [`RequireSession`](super::RequireSession), and its response future.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::layer::RequireSession;
use super::respond::Respond;
use crate::middleware::future::take_ready;
use crate::middleware::lazy_session::LazySession;
use crate::session::Session;

/// Middleware that rejects requests without a session.
///
/// Created by [`RequireSession`](super::RequireSession).
#[derive(Clone, Debug)]
pub struct RequireSessionService<S, F> {
    inner: S,
    require: RequireSession<F>,
}

impl<S, F: Clone> Layer<S> for RequireSession<F> {
    type Service = RequireSessionService<S, F>;

    fn layer(&self, inner: S) -> Self::Service {
        RequireSessionService {
            inner,
            require: self.clone(),
        }
    }
}

impl<S, F> RequireSessionService<S, F> {
    /// Calls the inner service if the session passes. Without an outer layer it is `None`.
    fn check<B, R>(&mut self, session: Option<Session>, mut request: Request<B>) -> State<S, B, F>
    where
        S: Service<Request<B>, Response = Response<R>> + Clone,
        F: Respond<R>,
    {
        match self.require.check(session) {
            Ok(session) => {
                // A lazy layer has inserted only the session to load.
                (self.require.slot.insert)(request.extensions_mut(), Ok(session));
                let response = self.inner.call(request);
                State::Calling { response }
            }
            Err(rejection) => {
                // The service that was polled ready may have reserved a resource for a call that
                // now does not happen. Its clone has reserved nothing.
                self.inner = self.inner.clone();
                let response = Some(self.require.respond.respond(&rejection));
                State::Rejected { response }
            }
        }
    }
}

impl<S, F, B, R> Service<Request<B>> for RequireSessionService<S, F>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Respond<R> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RequireFuture<S, B, F>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let lazy = (self.require.slot.find)(request.extensions());
        let session = lazy.as_ref().and_then(LazySession::loaded);
        let state = match lazy.filter(|_| session.is_none()) {
            None => self.check(session, request),
            Some(lazy) => State::Loading {
                load: Box::pin(async move { lazy.load().await }),
                request: Some(request),
                service: take_ready(self),
            },
        };
        RequireFuture { state }
    }
}

pin_project! {
    /// Response future for [`RequireSessionService`], the service of
    /// [`RequireSession`](crate::RequireSession).
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
            service: RequireSessionService<S, F>,
        },
        Calling { #[pin] response: S::Future },
        Rejected { response: Option<S::Response> },
    }
}

impl<S, B, F, R> Future for RequireFuture<S, B, F>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Respond<R>,
{
    type Output = Result<Response<R>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Loading {
                    load,
                    request,
                    service,
                } => {
                    let session = ready!(load.as_mut().poll(cx));
                    let request = request.take().expect("polled after completion");
                    service.check(Some(session), request)
                }
                StateProjection::Calling { response } => return response.poll(cx),
                StateProjection::Rejected { response } => {
                    let response = response.take().expect("polled after completion");
                    return Poll::Ready(Ok(response));
                }
            };
            state.set(next);
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
