//! The service of [`JwtRedisSession`](crate::JwtRedisSession).

use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::{PollRead, ResponseFuture, State, take_ready};
use super::read_body::ReadBody;
use super::replay_body::ReplayBody;
use super::settings::{ResponseContext, Settings};
use crate::source::{Anywhere, InHead};

/// Middleware that attaches a session to every request.
///
/// Created by [`JwtRedisSession`](crate::JwtRedisSession). The types of bodies and of the error are
/// those of the inner service. With the marker [`Anywhere`] the request body is a
/// [`ReplayBody`]; with [`InHead`] it may have any type.
#[derive(Clone, Debug)]
pub struct JwtRedisSessionService<S, P = Anywhere> {
    pub(super) inner: S,
    // In one `Arc`: every request clones it, and its counter is shared by all threads.
    pub(super) settings: Arc<Settings>,
    pub(super) marker: PhantomData<P>,
}

impl<S, P> JwtRedisSessionService<S, P> {
    fn start<B>(
        &mut self,
        request: Request<B>,
        poll_read: Option<PollRead<B>>,
    ) -> ResponseFuture<S, B>
    where
        S: Service<Request<B>> + Clone,
    {
        let settings = Arc::clone(&self.settings);
        let sources = &settings.sources;
        let (mut head, body) = request.into_parts();
        let found = sources.find(&head);
        // A token in another source wins, so that only requests without one wait for their body.
        let search = match found {
            Ok(None) => poll_read.zip(sources.body_search(&head)),
            Ok(Some(_)) | Err(_) => None,
        };
        let cookie = settings.cookie_use(&head);
        let next = search.ok_or_else(|| settings.authenticate(Ok(found), cookie));
        let context = ResponseContext {
            cookie,
            token_in_query: sources.take_from_query(&mut head.uri),
            selects_bearer_on: sources.take_from_protocols(&mut head),
        };
        let state = match next {
            Ok((poll_read, search)) => State::ReadingBody {
                read: Box::pin(ReadBody::new(body, search, settings.limits)),
                poll_read,
                head: Some(head),
                inner: take_ready(&mut self.inner),
            },
            Err(credential) => {
                let request = Request::from_parts(head, body);
                State::authenticated(&settings, credential, request, &mut self.inner)
            }
        };
        ResponseFuture {
            state,
            settings,
            context,
        }
    }
}

impl<S, B, R> Service<Request<B>> for JwtRedisSessionService<S, InHead>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.start(request, None)
    }
}

impl<S, B, R> Service<Request<B>> for JwtRedisSessionService<S, Anywhere>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: ReplayBody,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // A body that is known to be empty has no token, and reading it would only cost time.
        let may_hold_token = !request.body().is_end_stream();
        self.start(request, may_hold_token.then_some(ReadBody::poll))
    }
}
