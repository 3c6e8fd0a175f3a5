//! The service that answers for requests without a session.

use std::task::{Context, Poll};

use http::{Extensions, Request, Response};
use tower_service::Service;

use super::future::RequireFuture;
use super::refuse::Refuse;
use crate::middleware::session_rejection::{Realm, SessionRejection};
use crate::session::{Session, SessionState};

/// The service that answers for requests without a session; made by
/// [`RequireSession`](super::RequireSession).
#[derive(Clone, Debug)]
pub struct RequireSessionService<S, F> {
    pub(super) inner: S,
    pub(super) demand: Demand,
    pub(super) refuse: F,
}

/// What a request must have.
#[derive(Clone, Debug)]
pub(super) struct Demand {
    pub(super) realm: Realm,
    /// An answering store is enough.
    pub(super) only_available: bool,
    pub(super) find: fn(&Extensions) -> Option<&Session>,
}

impl Demand {
    fn check(&self, extensions: &Extensions) -> Result<(), SessionRejection> {
        let Some(session) = (self.find)(extensions) else {
            tracing::error!("{}", SessionRejection::missing_layer());
            return Err(SessionRejection::missing_layer());
        };
        let state = session.state();
        if self.only_available && !matches!(state, SessionState::Unavailable(_)) {
            return Ok(());
        }
        match SessionRejection::of(&state) {
            None => Ok(()),
            Some(refusal) => Err(refusal.in_realm(&self.realm)),
        }
    }
}

impl<S, F, B, R> Service<Request<B>> for RequireSessionService<S, F>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
    F: Refuse<R>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RequireFuture<S::Future, R>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        match self.demand.check(request.extensions()) {
            Ok(()) => RequireFuture::pass(self.inner.call(request)),
            Err(refusal) => {
                // What it reserved to be ready is free again, although it is not called.
                self.inner = self.inner.clone();
                RequireFuture::refuse(self.refuse.refuse(&refusal))
            }
        }
    }
}
