//! The service of [`JwtRedisSession`](crate::JwtRedisSession).

use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::{ResponseFuture, State};
use super::read_body::ReadBody;
use super::replay_body::ReplayBody;
use super::settings::{Authentication, Settings};
use crate::source::{Anywhere, InHead};

/// Middleware that attaches a session to every request.
///
/// Created by [`JwtRedisSession`](crate::JwtRedisSession). The types of bodies and of the error are
/// those of the inner service. With the marker [`Anywhere`] the request body is a
/// [`ReplayBody`]; with [`InHead`] it may have any type.
#[derive(Debug)]
pub struct JwtRedisSessionService<S, P = Anywhere> {
    inner: S,
    settings: Arc<Settings<P>>,
}

impl<S, P> JwtRedisSessionService<S, P> {
    pub(super) const fn new(inner: S, settings: Arc<Settings<P>>) -> Self {
        Self { inner, settings }
    }
}

impl<S: Clone, P> Clone for JwtRedisSessionService<S, P> {
    fn clone(&self) -> Self {
        Self::new(self.inner.clone(), Arc::clone(&self.settings))
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
        let settings = Arc::clone(&self.settings);
        let (mut head, body) = request.into_parts();
        let found = settings.authenticate(&head);
        let found = found.unwrap_or(Authentication::Absent(None));
        let token_in_query = settings.sources.take_from_query(&mut head.uri);
        let request = Request::from_parts(head, body);
        ResponseFuture {
            state: State::with_token(&settings, found, request, &mut self.inner),
            settings,
            token_in_query,
        }
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
        let settings = Arc::clone(&self.settings);
        let (mut head, body) = request.into_parts();
        let found = settings.authenticate(&head);
        let token_in_query = settings.sources.take_from_query(&mut head.uri);
        // The end of a body that is known to be empty need not be read.
        let search = match &found {
            None if !body.is_end_stream() => settings.sources.body_search(&head),
            _ => None,
        };
        let state = if let Some(search) = search {
            let read = ReadBody::new(body, search, settings.limits);
            State::reading(read, head, &mut self.inner)
        } else {
            let found = found.unwrap_or(Authentication::Absent(None));
            let request = Request::from_parts(head, body);
            State::with_token(&settings, found, request, &mut self.inner)
        };
        ResponseFuture {
            state,
            settings,
            token_in_query,
        }
    }
}
