//! The service that gives every request its session.

use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use tower_service::Service;

use super::body::SessionBody;
use super::future::ResponseFuture;
use super::response::Aftermath;
use super::search::{Search, Verdict};
use super::settings::Settings;
use crate::source::{Finding, Found};

/// The service that gives every request its session; made by
/// [`JwtRedisSession`](crate::JwtRedisSession).
///
/// Its inner service takes a [`SessionBody`], and may have any error and any response body: both
/// are passed on as they are.
#[derive(Clone, Debug)]
pub struct JwtRedisSessionService<S> {
    inner: S,
    settings: Arc<Settings>,
}

impl<S> JwtRedisSessionService<S> {
    pub(super) const fn new(inner: S, settings: Arc<Settings>) -> Self {
        Self { inner, settings }
    }
}

impl<S: Clone> JwtRedisSessionService<S> {
    /// Takes out the service that was polled ready: a clone of it would not be.
    fn take_ready(&mut self) -> S {
        let clone = self.inner.clone();
        mem::replace(&mut self.inner, clone)
    }
}

impl<S, B, R> Service<Request<B>> for JwtRedisSessionService<S>
where
    S: Service<Request<SessionBody<B>>, Response = Response<R>> + Clone,
    B: Body + Unpin,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = ResponseFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let Finding { found, in_query } = self.settings.sources.find(&mut head);
        let settings = Arc::clone(&self.settings);
        let aftermath = Aftermath { settings, in_query };
        let outcome = match found {
            Found::Settled(outcome) => outcome,
            Found::NeedBody(search) => {
                let search = Search::read(&self.settings, head, body, search);
                return ResponseFuture::search(search, self.take_ready(), aftermath);
            }
        };
        let request = Request::from_parts(head, SessionBody::untouched(body));
        match self.settings.judge(outcome) {
            Verdict::Known(session) => {
                let request = self.settings.attached(request, &session);
                ResponseFuture::call(self.inner.call(request), session, aftermath)
            }
            Verdict::Load(load) => {
                let search = Search::load(request, load);
                ResponseFuture::search(search, self.take_ready(), aftermath)
            }
        }
    }
}
