//! The service of [`JwtRedisSession`](crate::JwtRedisSession).

use std::sync::Arc;
use std::task::{Context, Poll};

use http::request::Parts;
use http::{Request, Response};
use tower_service::Service;

use super::future::{PollRead, ResponseFuture, State, poll_read, take_ready};
use super::read_body::ReadBody;
use super::replay_body::ReplayBody;
use super::settings::Settings;
use crate::source::{Anywhere, BodySearch, InHead, TokenSources};

/// Returns how to search and how to read the body of a request; `None` if it is not searched.
type SearchBody<P, B> = fn(&TokenSources<P>, &Parts, &B) -> Option<(BodySearch, PollRead<B>)>;

/// Middleware that attaches a session to every request.
///
/// Created by [`JwtRedisSession`](crate::JwtRedisSession). The types of bodies and of the error are
/// those of the inner service. With the marker [`Anywhere`] the request body is a
/// [`ReplayBody`]; with [`InHead`] it may have any type.
#[derive(Clone, Debug)]
pub struct JwtRedisSessionService<S, P = Anywhere> {
    inner: S,
    settings: Arc<Settings<P>>,
}

impl<S, P> JwtRedisSessionService<S, P> {
    pub(super) const fn new(inner: S, settings: Arc<Settings<P>>) -> Self {
        Self { inner, settings }
    }

    fn start<B>(
        &mut self,
        request: Request<B>,
        search_body: SearchBody<P, B>,
    ) -> ResponseFuture<S, B, P>
    where
        S: Service<Request<B>> + Clone,
    {
        let settings = Arc::clone(&self.settings);
        let (mut head, body) = request.into_parts();
        let found = settings.sources.find(&head);
        // A token in another source wins, so that only requests without one wait for their body.
        let search = match &found {
            Ok(None) => search_body(&settings.sources, &head, &body),
            Ok(Some(_)) | Err(_) => None,
        };
        let next = search.ok_or_else(|| settings.authenticate(found));
        let token_in_query = settings.sources.take_from_query(&mut head.uri);
        let state = match next {
            Ok((search, poll_read)) => State::ReadingBody {
                read: Box::pin(ReadBody::new(body, search, settings.limits)),
                poll_read,
                head: Some(head),
                inner: take_ready(&mut self.inner),
            },
            Err(authentication) => {
                let request = Request::from_parts(head, body);
                State::authenticated(&settings, authentication, request, &mut self.inner)
            }
        };
        ResponseFuture {
            state,
            settings,
            token_in_query,
        }
    }
}

impl<S, B, R> Service<Request<B>> for JwtRedisSessionService<S, InHead>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, InHead>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.start(request, |_, _, _| None)
    }
}

impl<S, B, R> Service<Request<B>> for JwtRedisSessionService<S, Anywhere>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    B: ReplayBody,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B, Anywhere>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.start(request, |sources, head, body| {
            // A body that is known to be empty has no token, and reading it would only cost time.
            let search = sources
                .body_search(head)
                .filter(|_| !body.is_end_stream())?;
            Some((search, poll_read))
        })
    }
}
