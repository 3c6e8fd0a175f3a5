//! The service of [`RequireSession`](super::RequireSession).

use std::task::{Context, Poll};

use http::{Request, Response};
use tower_service::Service;

use super::future::RequireFuture;
use super::requirement::Requirement;
use super::respond::Respond;
use crate::middleware::future::take_ready;

/// Middleware that rejects requests without a session.
///
/// Created by [`RequireSession`](super::RequireSession).
#[derive(Clone, Debug)]
pub struct RequireSessionService<S, F> {
    pub(super) inner: S,
    pub(super) requirement: Requirement,
    pub(super) respond: F,
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

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        let passed = match self.requirement.find(request.extensions()) {
            Ok(lazy) => match lazy.loaded() {
                Some(session) => self.requirement.check(&session, request.extensions_mut()),
                None => {
                    let inner = take_ready(&mut self.inner);
                    let (requirement, respond) = (self.requirement.clone(), self.respond.clone());
                    return RequireFuture::load(lazy, request, inner, requirement, respond);
                }
            },
            Err(rejection) => Err(rejection),
        };
        match passed {
            Ok(()) => RequireFuture::call(self.inner.call(request)),
            Err(rejection) => {
                // The service is not called: its clone has not reserved what being ready reserves.
                self.inner = self.inner.clone();
                RequireFuture::reject(self.respond.respond(&rejection))
            }
        }
    }
}
